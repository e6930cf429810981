import { promisify } from "node:util";
import { gzip, gzipSync } from "node:zlib";
import type { Logger } from "../../core/logger.ts";
import { ProtobufError } from "../otlp/protobuf-reader.ts";
import { type ReceivedSpan, readTraceRequest } from "../otlp/trace-request.ts";
import { writeStatus, writeTraceResponse } from "../otlp/write-status.ts";
import type { RolloutQueue } from "../rollout-queue.ts";
import type { RolloutSpan } from "../rollout-span.ts";
import { BadValueError, UnknownIdError } from "../store-errors.ts";
import type { Metrics } from "./metrics.ts";
import { type Call, Raw, type Route } from "./route.ts";

const protobuf = "application/x-protobuf";
const packed = promisify(gzip);
const packedNothing = gzipSync("");

interface Receiver {
  readonly store: RolloutQueue;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** OTLP over HTTP: traces; what it has besides is not implemented, and says so. */
export function otlpRoutes(receiver: Receiver): readonly Route[] {
  return [
    bytesRoute("/v1/traces", "Spans as an ExportTraceServiceRequest of OTLP in protobuf, gzip allowed", (call) =>
      traces(receiver, call),
    ),
    ...["/v1/metrics", "/v1/logs", "/v1/development/profiles"].map((path) =>
      bytesRoute(path, "Not implemented", () => new Raw({ status: 501, type: protobuf, bytes: "" })),
    ),
  ];
}

function bytesRoute(path: string, summary: string, run: Route["run"]): Route {
  return { method: "POST", path, access: "write", summary, status: 200, takes: "bytes", run };
}

async function traces(receiver: Receiver, call: Call): Promise<Raw> {
  const type =
    String(call.headers["content-type"] ?? "")
      .split(";", 1)[0]
      ?.trim() ?? "";
  if (type !== protobuf)
    return reply(call, 400, writeStatus(`Unsupported Content-Type '${type}', expected '${protobuf}'`));
  try {
    return reply(call, 200, await receive(receiver, call.body instanceof Buffer ? call.body : Buffer.alloc(0)));
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    return reply(call, 400, writeStatus(`Unable to parse OTLP traces payload: ${error.message}`));
  }
}

async function receive({ store, metrics, logger }: Receiver, bytes: Buffer): Promise<Buffer> {
  const { spans, ownerless } = readTraceRequest(bytes);
  if (ownerless > 0)
    logger.warning("spans without agentlightning.rollout_id or .attempt_id are dropped", { ownerless });
  await number(store, spans);
  const results = await Promise.all(byAttempt(spans).map((each) => add(store, each, logger)));
  const added = results.flat();
  const stored = added.filter((span) => span !== null && span !== undefined).length;
  const duplicate = added.filter((span) => span === null).length;
  const rejected = ownerless + added.length - stored - duplicate;
  metrics.spansReceived({ stored, duplicate, rejected });
  return writeTraceResponse(
    rejected,
    "spans need agentlightning.rollout_id and .attempt_id of an attempt in the store",
  );
}

/** Spans that came without a number get theirs in the order in which they came. */
async function number(store: RolloutQueue, spans: readonly ReceivedSpan[]): Promise<void> {
  const without = spans.filter(({ sequence_id: id }) => id < 0);
  if (without.length === 0) return;
  const ids = await store.getNextSpanSequenceIds(without);
  for (const [index, span] of without.entries()) span.sequence_id = ids[index] ?? 0;
}

function byAttempt(spans: readonly RolloutSpan[]): readonly (readonly RolloutSpan[])[] {
  const [first] = spans;
  if (first === undefined) return [];
  const { rollout_id, attempt_id } = first;
  if (spans.every((span) => span.rollout_id === rollout_id && span.attempt_id === attempt_id)) return [spans];
  return [...Map.groupBy(spans, (span) => `${span.rollout_id}\n${span.attempt_id}`).values()];
}

/** `undefined` for each span of an attempt that is not in the store, or takes no more. */
async function add(store: RolloutQueue, spans: readonly RolloutSpan[], logger: Logger) {
  try {
    return await store.addSpans(spans);
  } catch (error) {
    if (!(error instanceof UnknownIdError || error instanceof BadValueError)) throw error;
    logger.warning("spans of an attempt that does not take them are dropped", {
      count: spans.length,
      reason: error.message,
    });
    return spans.map(() => undefined);
  }
}

async function reply({ headers }: Call, status: number, bytes: Buffer): Promise<Raw> {
  const wanted = String(headers["accept-encoding"] ?? "").split(",");
  if (!wanted.some((each) => each.split(";", 1)[0]?.trim().toLowerCase() === "gzip")) {
    return new Raw({ status, type: protobuf, bytes });
  }
  const body = bytes.length === 0 ? packedNothing : await packed(bytes);
  return new Raw({ status, type: protobuf, bytes: body, headers: { "Content-Encoding": "gzip" } });
}
