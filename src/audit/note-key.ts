import { createPublicKey, hash, type KeyObject } from "node:crypto";
import { InputError } from "../core/errors.ts";
import { decodeBase64 } from "./base64.ts";

/** Signature type of Ed25519 in C2SP signed-note. */
const ed25519 = 0x01;

/** What Ed25519 public keys begin with as SPKI DER (RFC 8410 section 4); 32 bytes follow. */
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");

const rawKeys = new WeakMap<KeyObject, Buffer>();

/** The 32 bytes of an Ed25519 public key (RFC 8032); exported once, since a log asks for those of its key with every batch. */
export function rawKey(publicKey: KeyObject): Buffer {
  const raw = rawKeys.get(publicKey) ?? publicKey.export({ type: "spki", format: "der" }).subarray(spkiPrefix.length);
  rawKeys.set(publicKey, raw);
  return raw;
}

/** First four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key), C2SP signed-note, "Ed25519 signatures": 8 hexadecimal digits. */
export function keyId(name: string, publicKey: KeyObject): string {
  const prefix = Buffer.from(`${name}\n`);
  return hash("sha256", Buffer.concat([prefix, Buffer.of(ed25519), rawKey(publicKey)]), "hex").slice(0, 8);
}

/** A verifier key as text, `name+id+base64(0x01 ‖ key)`, as Go's sumdb and C2SP tools read it. */
export function formatVkey(name: string, publicKey: KeyObject): string {
  const key = Buffer.concat([Buffer.of(ed25519), rawKey(publicKey)]);
  return `${name}+${keyId(name, publicKey)}+${key.toString("base64")}`;
}

/**
 * Reads a verifier key.
 * @throws {InputError} when it is none, is not Ed25519, or its id is not the one of its key.
 */
export function parseVkey(text: string): { readonly name: string; readonly publicKey: KeyObject } {
  const [, name = "", id = "", encoded = ""] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text) ?? [];
  const key = decodeBase64(encoded);
  if (!isKeyName(name) || key?.length !== 33 || key[0] !== ed25519) {
    throw new InputError(`expected a verifier key "name+id+base64" of type Ed25519, got "${text.slice(0, 200)}"`);
  }
  const publicKey = createPublicKey({
    key: Buffer.concat([spkiPrefix, key.subarray(1)]),
    format: "der",
    type: "spki",
  });
  if (keyId(name, publicKey) !== id) {
    throw new InputError(`the id of verifier key ${name} must be ${keyId(name, publicKey)}, got ${id}: it was changed`);
  }
  return { name, publicKey };
}

/** Names are not empty and hold no space, plus or control character (C2SP signed-note, "Format"). */
export function isKeyName(name: string): boolean {
  return /^[^\s+\p{Cc}]+$/u.test(name) && name.isWellFormed();
}
