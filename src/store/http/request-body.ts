import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { parseExactly } from "../exact-json.ts";
import { HttpError } from "./http-error.ts";
import { bodyProblem } from "./validate.ts";

const unzip = promisify(gunzip);

/**
 * A request's whole body, unpacked where it is gzip.
 * @throws {HttpError} 413 where it is longer than `bodyBytes`, packed or not; 400 where the client stops, or it does not unpack; 415 for
 * another packing.
 */
export async function readBody(request: IncomingMessage, bodyBytes: number): Promise<Buffer> {
  if (Number(request.headers["content-length"] ?? 0) > bodyBytes) throw tooLong(bodyBytes);
  const bytes = await readAll(request, bodyBytes);
  const encoding = request.headers["content-encoding"]?.toLowerCase();
  if (encoding === undefined || encoding === "identity" || bytes.length === 0) return bytes;
  if (encoding !== "gzip") throw new HttpError(415, `Content-Encoding must be gzip or identity, got ${encoding}`);
  return await unpack(bytes, bodyBytes);
}

/** `undefined` for an empty body. */
export function jsonOf(request: IncomingMessage, bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  const type = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  // A page in a browser may send other types to any place without being asked whether it may.
  if (!/^application\/(?:[\w.+-]+\+)?json$/.test(type)) {
    throw new HttpError(415, `Content-Type must be application/json, got ${JSON.stringify(type)}`);
  }
  try {
    return parseExactly(bytes.toString("utf8"));
  } catch {
    throw bodyProblem("json_invalid", "JSON decode error");
  }
}

function readAll(request: IncomingMessage, bodyBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > bodyBytes) reject(tooLong(bodyBytes));
      else chunks.push(chunk);
    });
    request.on("end", () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
    );
    request.on("error", () => reject(new HttpError(400, "the request's body ends early")));
  });
}

async function unpack(bytes: Buffer, bodyBytes: number): Promise<Buffer> {
  try {
    return await unzip(bytes, { maxOutputLength: bodyBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLong(bodyBytes);
    throw new HttpError(400, "the body is not the gzip that Content-Encoding says it is");
  }
}

function tooLong(bodyBytes: number): HttpError {
  return new HttpError(413, `a body may have ${bodyBytes} bytes, also unpacked`, { Connection: "close" });
}
