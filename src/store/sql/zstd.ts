import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompressSync } from "node:zlib";

const compress = promisify(zstdCompress);
const params = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 };

/** Packs in libuv's pool: the main thread goes on. */
export async function packed(bytes: Uint8Array): Promise<Uint8Array> {
  return await compress(bytes, { params });
}

/** @throws where the bytes are not what {@link packed} made. */
export function unpacked(bytes: Uint8Array): Uint8Array {
  return zstdDecompressSync(bytes);
}
