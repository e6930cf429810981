import { randomBytes } from "node:crypto";
import type { Owner } from "./workloads.ts";

/** An ExportTraceServiceRequest of spans as an instrumented model call has them, each with an id of its own. */
export function tracesOf({ rollout_id: rollout, attempt_id: attempt }: Owner, spans: number): Buffer {
  template ??= templateOf(spans);
  const request = Buffer.from(template.bytes);
  request.write(rollout, template.rolloutAt);
  request.write(attempt, template.attemptAt);
  const random = randomBytes(spans * idBytes);
  for (const [index, at] of template.idAt.entries()) random.copy(request, at, index * idBytes, (index + 1) * idBytes);
  return request;
}

interface Template {
  readonly bytes: Buffer;
  readonly rolloutAt: number;
  readonly attemptAt: number;
  readonly idAt: readonly number[];
}

const idBytes = 8;
let template: Template | undefined;

/** All but the ids, whose places are found by what stands there instead; ids of one kind have one length. */
function templateOf(spans: number): Template {
  const [rollout, attempt] = ["ro-ROLLOUTROLLO", "at-ATTEMPTA"] as const;
  const resource = message(1, [
    attribute(1, "service.name", text("bench")),
    attribute(1, "agentlightning.rollout_id", text(rollout)),
    attribute(1, "agentlightning.attempt_id", text(attempt)),
  ]);
  const scope = message(2, Array.from({ length: spans }, span));
  const bytes = message(1, [resource, scope]);
  const idAt: number[] = [];
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + idBytes)) idAt.push(at);
  return { bytes, rolloutAt: bytes.indexOf(rollout), attemptAt: bytes.indexOf(attempt), idAt };
}

const mark = Buffer.from("THE-SPAN");

function span(): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigUInt64LE(BigInt(Date.now()) * 1_000_000n);
  return message(2, [
    field(1, randomBytes(16)),
    field(2, mark),
    field(4, randomBytes(8)),
    field(5, Buffer.from("chat gpt-4o-mini")),
    Buffer.from([(7 << 3) | 1]),
    time,
    Buffer.from([(8 << 3) | 1]),
    time,
    attribute(9, "gen_ai.system", text("openai")),
    attribute(9, "gen_ai.request.model", text("gpt-4o-mini")),
    attribute(9, "gen_ai.usage.input_tokens", Buffer.from([0x18, 123])),
    attribute(9, "gen_ai.usage.output_tokens", Buffer.from([0x18, 45])),
    attribute(9, "gen_ai.prompt.0.content", text("You answer questions about a database of orders.")),
    message(15, [Buffer.from([0x18, 1])]),
  ]);
}

function attribute(number: number, key: string, value: Buffer): Buffer {
  return message(number, [field(1, Buffer.from(key)), field(2, value)]);
}

function text(value: string): Buffer {
  return field(1, Buffer.from(value));
}

function message(number: number, parts: readonly Buffer[]): Buffer {
  return field(number, Buffer.concat(parts));
}

function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}
