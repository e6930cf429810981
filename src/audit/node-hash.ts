import { hash } from "node:crypto";

/** Root of a tree without leaves: SHA-256 of nothing (RFC 6962 section 2.1). */
export const emptyRoot = hash("sha256", "", "hex");

/** One byte that tells a node from a leaf, then both children (RFC 6962 section 2.1). Filled anew for every node. */
const node = Buffer.alloc(65);
node[0] = 1;

/**
 * Hash of the node above two others (RFC 6962 section 2.1): SHA-256(0x01 ‖ left ‖ right).
 * @param children How both children are written.
 * @param written How the answer is written; `latin1`, a character a byte, is the cheapest to write into the next node.
 */
export function nodeHash(left: string, right: string, children: HashText = "hex", written: HashText = "hex"): string {
  node.write(left, 1, children);
  node.write(right, 33, children);
  return hash("sha256", node, written);
}

/** 64 lower-case hexadecimal digits, or 32 characters of a byte each. */
export type HashText = "hex" | "latin1";

/** Whether a value is a hash as this log writes them: 64 lower-case hexadecimal digits. */
export function isHash(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}
