import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

const params = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 };

/** Here and now: a batch's segments take 0.3 ms, less than handing them to another thread and back. */
export function packed(bytes: Uint8Array): Uint8Array {
  return zstdCompressSync(bytes, { params });
}

/** Far more than a batch has: a few bytes that were tampered with can stand for any number. */
const maxOutputLength = 1024 * 1024 * 1024;

/** @throws where the bytes are not what {@link packed} made. */
export function unpacked(bytes: Uint8Array): Uint8Array {
  return zstdDecompressSync(bytes, { maxOutputLength });
}
