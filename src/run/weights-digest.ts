import { createHash } from "node:crypto";
import { endianness } from "node:os";

/** SHA-256 of weights as little-endian float32, in the order of their architecture: 64 lower-case hexadecimal digits. */
export function weightsDigest(weights: Float32Array): string {
  const bytes = Buffer.from(weights.buffer, weights.byteOffset, weights.byteLength);
  const ordered = endianness() === "LE" ? bytes : Buffer.from(bytes).swap32();
  return createHash("sha256").update(ordered).digest("hex");
}
