import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { lstatSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { InputError, messageOf } from "../core/errors.ts";
import type { Signer } from "./checkpoint.ts";
import { configFolder, type UserPlace } from "./config-folder.ts";
import { parseVkey } from "./note-key.ts";
import { writePrivateFile } from "./private-file.ts";

/** The key that signs this user's audit logs: Ed25519, PKCS#8 PEM. */
export interface AuditKey extends Signer {
  readonly path: string;
}

/** What checks a log. */
export interface AuditPublicKey {
  readonly publicKey: KeyObject;
  /** The log that the key is for, where it came as a verifier key: the origin must be this one. */
  readonly origin?: string;
}

/** Where the key is when no path names one. */
export function auditKeyPath(place?: UserPlace): string {
  return join(configFolder(place), "audit-key.pem");
}

/**
 * The key that signs. Without a path it is the one of the user, made when it is first asked for, with mode 0600; processes that ask
 * at once get the same one.
 * @throws {InputError} when a path was given and there is no file; when the file is not an Ed25519 private key; when others than
 *   its owner can read it (not on Windows); when it cannot be read or made.
 */
export function loadAuditKey({ path, place }: { readonly path?: string; readonly place?: UserPlace } = {}): AuditKey {
  const file = path ?? auditKeyPath(place);
  if (path === undefined && !exists(file)) {
    const { privateKey } = generateKeyPairSync("ed25519");
    writePrivateFile(file, String(privateKey.export({ type: "pkcs8", format: "pem" })), "create");
  }
  const text = readText(file, "the audit key");
  checkMode(file);
  const privateKey = parsePrivate(text, file);
  return { path: file, privateKey, publicKey: createPublicKey(privateKey) };
}

/**
 * The key that checks, from a file: an Ed25519 public key (SPKI PEM), a verifier key (`name+id+base64`), or the private key itself.
 * @throws {InputError} when the file is none of these.
 */
export function loadAuditPublicKey(path: string): AuditPublicKey {
  return parseAuditPublicKey(readText(path, "the audit public key"), path);
}

/** See {@link loadAuditPublicKey}. @param where Names the source in messages. */
export function parseAuditPublicKey(text: string, where: string): AuditPublicKey {
  if (text.includes("PRIVATE KEY-----")) return { publicKey: createPublicKey(parsePrivate(text, where)) };
  if (!text.includes("-----BEGIN")) {
    const { name, publicKey } = parseVkey(text.trim());
    return { publicKey, origin: name };
  }
  return { publicKey: ed25519(() => createPublicKey(text), where, "an Ed25519 public key (SPKI PEM)") };
}

/** SPKI PEM of the public half: what may be handed out. */
export function publicPem(publicKey: KeyObject): string {
  return String(publicKey.export({ type: "spki", format: "pem" }));
}

function parsePrivate(text: string, where: string): KeyObject {
  return ed25519(() => createPrivateKey(text), where, "an Ed25519 private key (PKCS#8 PEM, without a passphrase)");
}

function ed25519(parse: () => KeyObject, where: string, expected: string): KeyObject {
  let got: string;
  try {
    const key = parse();
    if (key.asymmetricKeyType === "ed25519") return key;
    got = `a key of type ${key.asymmetricKeyType}`;
  } catch (error) {
    got = messageOf(error);
  }
  throw new InputError(`${where} must hold ${expected}, got ${got}. openssl genpkey -algorithm ed25519 makes one`);
}

/** A link that leads nowhere is there too: reading it says what is wrong with it. */
function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // What is on the way is no folder, or cannot be entered: making the file says so.
    return false;
  }
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const advice = missing ? "give the path of a key, or none to have one made" : "its user must be able to read it";
    throw new InputError(`cannot read ${what} ${path}: ${messageOf(error)}; ${advice}`, { cause: error });
  }
}

function checkMode(path: string): void {
  if (process.platform === "win32") return;
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o077) === 0) return;
  throw new InputError(
    `the audit key ${path} must be readable by its owner alone, got mode ${mode.toString(8).padStart(4, "0")}: run chmod 600 ${path}`,
  );
}
