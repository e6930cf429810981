import type { KeyObject } from "node:crypto";
import { decodeBase64 } from "./base64.ts";
import { isHash } from "./node-hash.ts";
import { isKeyName } from "./note-key.ts";
import { openNote, signNote, splitNote } from "./signed-note.ts";

/** The state of a log at one size: its tree head (C2SP tlog-checkpoint). */
export interface Checkpoint {
  /** Unique name of the log, also the name of its key: a URL without a scheme. */
  readonly origin: string;
  /** Number of leaves. */
  readonly size: number;
  /** Root of the RFC 6962 tree, 64 lower-case hexadecimal digits. */
  readonly root: string;
}

export interface SignedCheckpoint extends Checkpoint {
  /** The signed note as it is kept and shown. */
  readonly note: string;
}

/** Whoever signs checkpoints: an Ed25519 key pair. */
export interface Signer {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** Signs a checkpoint as the log itself: the key has the origin's name. */
export function signCheckpoint(checkpoint: Checkpoint, signer: Signer): SignedCheckpoint {
  const { origin, size, root } = checkpoint;
  if (!isKeyName(origin) || !Number.isSafeInteger(size) || size < 0 || !isHash(root)) {
    throw new RangeError(`no checkpoint: origin ${origin}, size ${size}, root ${root}`);
  }
  const { privateKey, publicKey } = signer;
  const note = signNote(`${origin}\n${size}\n${toBase64(root)}\n`, { name: origin, privateKey, publicKey });
  return { origin, size, root, note };
}

/**
 * What came of opening a signed checkpoint. `malformed`: neither a note nor a checkpoint. `unsigned`: signed by other keys alone.
 * `forged`: the signature is not the key's. What is `claimed` is not to be trusted.
 */
export type OpenedCheckpoint =
  | { readonly status: "signed"; readonly checkpoint: SignedCheckpoint }
  | { readonly status: "malformed" | "unsigned" | "forged"; readonly message: string; readonly claimed?: Checkpoint };

/**
 * Reads a checkpoint and checks its signature. The key's name is the origin that the checkpoint claims: whoever expects a certain
 * origin compares it.
 */
export function openCheckpoint(note: string, publicKey: KeyObject): OpenedCheckpoint {
  const parts = splitNote(note);
  if (typeof parts === "string") return { status: "malformed", message: parts };
  const claimed = parseCheckpoint(parts.text);
  if (typeof claimed === "string") return { status: "malformed", message: claimed };
  const opened = openNote(note, { name: claimed.origin, publicKey });
  if (opened.status !== "signed") return { ...opened, claimed };
  return { status: "signed", checkpoint: { ...claimed, note } };
}

/** The first three lines of a checkpoint, or what is wrong with them. Extension lines are not ours: nothing checks what they say. */
export function parseCheckpoint(text: string): Checkpoint | string {
  const [origin = "", size = "", encoded = "", ...rest] = text.split("\n");
  if (rest.length !== 1 || rest[0] !== "") return "a checkpoint has three lines: origin, size, root";
  if (!isKeyName(origin)) return `the origin of a checkpoint is a URL without a scheme, got ${JSON.stringify(origin)}`;
  if (!/^(?:0|[1-9][0-9]*)$/.test(size) || !Number.isSafeInteger(Number(size))) {
    return `the size of a checkpoint is a decimal number without leading zeros, got ${JSON.stringify(size.slice(0, 40))}`;
  }
  const root = decodeBase64(encoded);
  if (root?.length !== 32) return "the root of a checkpoint is 32 bytes in base64";
  return { origin, size: Number(size), root: root.toString("hex") };
}

function toBase64(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64");
}
