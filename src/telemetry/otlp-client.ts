import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { messageOf } from "../core/errors.ts";
import { ProtobufReader } from "../store/otlp/protobuf-reader.ts";
import type { OtelSettings } from "./otel-environment.ts";

const gzipped = promisify(gzip);

/** What became of one request. */
export type Delivery =
  | { readonly status: "sent"; readonly rejected: number; readonly why: string }
  /** It may be sent again, not before `afterMs` where the receiver says so. */
  | { readonly status: "later"; readonly afterMs: number | null; readonly why: string }
  | { readonly status: "refused"; readonly why: string };

/** What OTLP/HTTP says may be sent again. */
const laterStatuses = [429, 502, 503, 504];
/** Of an answer that is read. */
const answerBytesMax = 65_536;

/** Posts one trace request. Never throws. */
export async function postTraces(
  body: Buffer,
  { url, headers, timeoutMs, gzip }: OtelSettings,
  signal: AbortSignal,
): Promise<Delivery> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        ...headers,
        "content-type": "application/x-protobuf",
        "user-agent": "faraday-rl",
        ...(gzip ? { "content-encoding": "gzip" } : {}),
      },
      body: new Uint8Array(gzip ? await gzipped(body) : body),
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const answer = Buffer.from(await response.arrayBuffer());
    return deliveryOf(response, answer);
  } catch (error) {
    return { status: "later", afterMs: null, why: reasonOf(error) };
  }
}

function deliveryOf(response: Response, answer: Buffer): Delivery {
  const { status, headers } = response;
  if (status >= 200 && status < 300) return { status: "sent", ...partialSuccess(answer) };
  const why = `it answered ${status}`;
  if (!laterStatuses.includes(status)) return { status: "refused", why };
  return { status: "later", afterMs: retryAfter(headers.get("retry-after")), why };
}

/** fetch says what failed in the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? messageOf(error) : messageOf(cause) || messageOf(error);
}

/** Seconds, or a date. */
function retryAfter(text: string | null): number | null {
  if (text === null) return null;
  const ms = /^\d+$/.test(text) ? 1000 * Number(text) : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

/** ExportTraceServiceResponse.partial_success: how many spans the receiver did not take, and why. */
function partialSuccess(answer: Buffer): { readonly rejected: number; readonly why: string } {
  const found = { rejected: 0, why: "" };
  if (answer.length === 0 || answer.length > answerBytesMax) return found;
  try {
    const reader = new ProtobufReader(answer);
    while (reader.more) {
      const tag = reader.tag();
      if (tag === 0x0a) {
        const outer = reader.enter();
        while (reader.more) {
          const inner = reader.tag();
          if (inner === 0x08) found.rejected = reader.varint();
          else if (inner === 0x12) found.why = reader.text();
          else reader.skip(inner);
        }
        reader.leave(outer);
      } else reader.skip(tag);
    }
  } catch {
    // A receiver that answers in another way has taken them all the same.
  }
  return found;
}
