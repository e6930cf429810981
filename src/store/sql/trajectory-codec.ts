import { FaradayError } from "../../core/errors.ts";
import type { TrajectoryColumns } from "../../core/trajectory.ts";
import { packed, unpacked } from "./zstd.ts";

/**
 * The trajectories of a batch for their column: zstd of the number of episodes, of tokens and of chosen tokens, the offsets, the tokens (all
 * as 32-bit integers), a byte a token that says whether it was chosen, and the log-probabilities of those that were, as 32-bit floats. Of integers
 * and floats first the first bytes of all, then the second: neighbours that are alike compress.
 */
export function packTrajectoryColumns(columns: TrajectoryColumns): Uint8Array {
  const { offsets, tokens, chosen, logProbabilities } = columns;
  const probabilities = logProbabilities.filter((_, index) => chosen[index] === 1);
  const header = new Uint32Array([offsets.length - 1, tokens.length, probabilities.length]);
  return packed(
    Buffer.concat([bytesOf(header), planes(offsets), planes(tokens), bytesOf(chosen), planes(probabilities)]),
  );
}

/** @throws {FaradayError} where the column is not what {@link packTrajectoryColumns} made. */
export function unpackTrajectoryColumns(column: Uint8Array): TrajectoryColumns {
  const bytes = contentOf(column);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [episodes, tokenCount, chosenCount] = [0, 4, 8].map((at) => view.getUint32(at, true)) as [
    number,
    number,
    number,
  ];
  if (bytes.length !== 12 + 4 * (episodes + 1) + 5 * tokenCount + 4 * chosenCount) throw damaged();
  let at = 12;
  const take = (length: number) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const offsets = new Uint32Array(whole(take(4 * (episodes + 1))));
  const tokens = new Int32Array(whole(take(4 * tokenCount)));
  const chosen = new Uint8Array(take(tokenCount));
  const given = new Float32Array(whole(take(4 * chosenCount))).values();
  const logProbabilities = Float32Array.from(chosen, (flag) => (flag === 1 ? (given.next().value ?? 0) : 0));
  return { offsets, tokens, chosen, logProbabilities };
}

function contentOf(column: Uint8Array): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = unpacked(column);
  } catch (error) {
    throw damaged(error);
  }
  if (bytes.length < 12) throw damaged();
  return bytes;
}

function damaged(cause?: unknown): FaradayError {
  return new FaradayError("the tokens of a batch in the store are damaged; faraday audit verify says what else is", {
    cause,
  });
}

function bytesOf(array: Uint32Array | Int32Array | Float32Array | Uint8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Byte 0 of every element, then byte 1, … */
function planes(array: Uint32Array | Int32Array | Float32Array): Uint8Array {
  const bytes = bytesOf(array);
  const count = array.length;
  const out = new Uint8Array(bytes.length);
  for (let index = 0; index < count; index++) {
    for (let byte = 0; byte < 4; byte++) out[byte * count + index] = bytes[4 * index + byte] as number;
  }
  return out;
}

function whole(planes: Uint8Array): ArrayBuffer {
  const count = planes.length / 4;
  const out = new Uint8Array(planes.length);
  for (let index = 0; index < count; index++) {
    for (let byte = 0; byte < 4; byte++) out[4 * index + byte] = planes[byte * count + index] as number;
  }
  return out.buffer;
}
