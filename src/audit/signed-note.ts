import { type KeyObject, sign, verify } from "node:crypto";
import { decodeBase64 } from "./base64.ts";
import { isKeyName, keyId } from "./note-key.ts";

/** Most bytes and signatures of a note that is read; C2SP signed-note asks for 16 signatures at least. */
export const noteBytesMax = 65_536;
const signaturesMax = 64;

/**
 * Signs a text as a C2SP signed note.
 * @param text Ends in a line feed; no control character but line feeds.
 * @throws {RangeError} when the text or the name cannot be in a note.
 */
export function signNote(
  text: string,
  signer: { readonly name: string; readonly privateKey: KeyObject; readonly publicKey: KeyObject },
): string {
  if (!isNoteText(text)) throw new RangeError("a note's text must end in a line feed and hold no control character");
  if (!isKeyName(signer.name)) throw new RangeError(`"${signer.name}" cannot name a key: no spaces, no plus`);
  const id = Buffer.from(keyId(signer.name, signer.publicKey), "hex");
  const signature = sign(null, Buffer.from(text), signer.privateKey);
  return `${text}\n— ${signer.name} ${Buffer.concat([id, signature]).toString("base64")}\n`;
}

/**
 * What came of opening a note. Only the text of a `signed` one may be used. `unsigned`: by other keys alone. `forged`: it names the
 * key, and the signature is not that key's.
 */
export type OpenedNote =
  | { readonly status: "signed"; readonly text: string }
  | { readonly status: "malformed" | "unsigned" | "forged"; readonly message: string };

/** Checks a note against the one key that is trusted (C2SP signed-note, "Signatures"). Signatures by others are ignored. */
export function openNote(note: string, key: { readonly name: string; readonly publicKey: KeyObject }): OpenedNote {
  const parts = splitNote(note);
  if (typeof parts === "string") return { status: "malformed", message: parts };
  const id = keyId(key.name, key.publicKey);
  const own = parts.signatures.filter((signature) => signature.name === key.name && signature.id === id);
  if (own.length === 0) {
    const others = parts.signatures.map((signature) => `${signature.name}+${signature.id}`).join(", ");
    return { status: "unsigned", message: `expected a signature by ${key.name}+${id}, got ${others}` };
  }
  const text = Buffer.from(parts.text);
  if (!own.every(({ bytes }) => verify(null, text, key.publicKey, bytes))) {
    return { status: "forged", message: `the signature by ${key.name}+${id} is not that key's for this text` };
  }
  return { status: "signed", text: parts.text };
}

interface NoteSignature {
  readonly name: string;
  readonly id: string;
  readonly bytes: Buffer;
}

/** The parts of a note whatever they are worth, or what is wrong with its form (C2SP signed-note, "Format"). */
export function splitNote(
  note: string,
): { readonly text: string; readonly signatures: readonly NoteSignature[] } | string {
  if (Buffer.byteLength(note) > noteBytesMax) return `a note has at most ${noteBytesMax} bytes`;
  const end = note.lastIndexOf("\n\n");
  const text = note.slice(0, end + 1);
  if (end < 0 || !isNoteText(text)) return "a note is text without control characters, an empty line and signatures";
  const block = note.slice(end + 2);
  if (!block.endsWith("\n")) return "a note ends in a signature line and a line feed";
  const lines = block.slice(0, -1).split("\n");
  if (lines.length > signaturesMax) return `a note has at most ${signaturesMax} signatures`;
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const signature = parseSignature(line);
    if (signature === null)
      return `expected "— name base64" as a signature line, got ${JSON.stringify(line.slice(0, 100))}`;
    signatures.push(signature);
  }
  return { text, signatures };
}

function parseSignature(line: string): NoteSignature | null {
  const [, name = "", encoded = ""] = /^— ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
  const bytes = decodeBase64(encoded);
  if (!isKeyName(name) || bytes === null || bytes.length < 5) return null;
  return { name, id: bytes.subarray(0, 4).toString("hex"), bytes: bytes.subarray(4) };
}

/** Ends in a line feed, is valid UTF-8 once encoded, and has no ASCII control character besides line feeds. */
function isNoteText(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what the format forbids.
  return text.endsWith("\n") && text.isWellFormed() && !/[\u0000-\u0009\u000b-\u001f]/.test(text);
}
