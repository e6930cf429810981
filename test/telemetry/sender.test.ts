import { expect, it } from "vitest";
import { openTelemetry } from "../../src/telemetry/open.ts";
import { type OtelSettings, readOtelEnvironment } from "../../src/telemetry/otel-environment.ts";
import type { OtlpSpan } from "../../src/telemetry/otlp-span.ts";
import { type SendLimits, SpanSender, sendLimits } from "../../src/telemetry/span-sender.ts";
import { writeTraceRequest } from "../../src/telemetry/write-trace-request.ts";
import { openReceiver, readTraces } from "./receiver.ts";

const quick: SendLimits = { ...sendLimits, backoffMs: { first: 1, max: 4 }, closeMs: 20_000 };

function settingsOf(url: string, more: Partial<OtelSettings> = {}): OtelSettings {
  return { url, headers: {}, timeoutMs: 10_000, gzip: false, resource: {}, captureContent: false, ...more };
}

function span(index: number): OtlpSpan {
  const spanId = index.toString(16).padStart(16, "0");
  return {
    ...{ traceId: "ab".repeat(16), spanId, parentId: null, name: "one", startMs: 1.7e12, endMs: 1.7e12 + 1.5 },
    ...{ status: "OK", attributes: {} },
  };
}

function sender(settings: OtelSettings, limits: SendLimits = quick) {
  const warnings: string[] = [];
  return { sender: new SpanSender(settings, (message) => warnings.push(message), limits), warnings };
}

const spans = (from: number, count: number) => Array.from({ length: count }, (_, index) => span(from + index));

it("what is turned away for now is sent again until it is taken, in order, and nothing twice", async () => {
  const statuses = [503, 429, 200, 502, 504, 200];
  await using receiver = await openReceiver((request) => ({
    status: statuses[request] ?? 200,
    headers: { "retry-after": "0" },
  }));
  const { sender: one, warnings } = sender(settingsOf(receiver.address), { ...quick, requestMax: 2 });
  one.send({ size: 3, make: () => spans(0, 3) });
  one.send({ size: 1, make: () => spans(3, 1) });
  await one.close();
  expect(receiver.spans.map(({ span_id }) => Number.parseInt(span_id, 16))).toEqual([0, 1, 2, 3]);
  expect({ ...one.counts, requests: receiver.requests, warnings }).toEqual({
    ...{ sent: 4, dropped: 0, requests: 7, warnings: [] },
  });
});

it("an endpoint that stays away keeps the end of a run waiting only so long", async () => {
  const gone = await openReceiver();
  await gone[Symbol.asyncDispose]();
  const { sender: one, warnings } = sender(settingsOf(gone.address), { ...quick, closeMs: 200 });
  one.send({ size: 5, make: () => spans(0, 5) });
  await one.close();
  expect(one.counts).toEqual({ sent: 0, dropped: 5 });
  expect(warnings).toEqual([
    expect.stringMatching(/spans are dropped, .*ECONNREFUSED.*, and the run has ended/),
    "telemetry: 0 spans were sent, 5 were dropped",
  ]);
});

it("no more spans wait than may; the rest is dropped and counted", async () => {
  await using receiver = await openReceiver();
  const { sender: one, warnings } = sender(settingsOf(receiver.address), { ...quick, waitingMax: 10 });
  for (let job = 0; job < 4; job++) one.send({ size: 4, make: () => spans(4 * job, 4) });
  await one.close();
  expect(one.counts).toEqual({ sent: 8, dropped: 8 });
  expect(warnings).toEqual([expect.stringContaining("too many spans wait"), expect.stringContaining("8 were dropped")]);
});

it("spans that the receiver says it did not take are counted as lost", async () => {
  // partial_success { rejected_spans: 2, error_message: "full" }
  const body = Uint8Array.from([0x0a, 8, 0x08, 2, 0x12, 4, ...Buffer.from("full")]);
  await using receiver = await openReceiver(() => ({ status: 200, body }));
  const { sender: one, warnings } = sender(settingsOf(receiver.address, { gzip: true }));
  one.send({ size: 5, make: () => spans(0, 5) });
  await one.close();
  expect(receiver.received[0]?.headers["content-encoding"]).toBe("gzip");
  expect(one.counts).toEqual({ sent: 3, dropped: 2 });
  expect(warnings[0]).toContain("full");
});

it("a request holds what was put in, whatever its size", () => {
  const attributes = {
    ...{ text: "ä".repeat(300), empty: "", yes: true, no: false, small: -3, large: 2 ** 53 - 1, half: 0.5 },
    "faraday.reward": 1,
  };
  const link = { traceId: "cd".repeat(16), spanId: "ef".repeat(8) };
  const one: OtlpSpan = { ...span(7), parentId: "12".repeat(8), attributes, link, status: "ERROR" };
  const many = Array.from({ length: 3000 }, (_, index) => span(index));
  const { resource, spans } = readTraces(writeTraceRequest([one, ...many], { "service.name": "s" }));
  expect(resource).toEqual({ "service.name": "s" });
  expect(spans).toHaveLength(3001);
  expect(spans[0]).toMatchObject({
    ...{ trace_id: one.traceId, span_id: one.spanId, parent_id: one.parentId, name: "one", attributes },
    ...{ status: { status_code: "ERROR" }, start_time: 1.7e9, end_time: 1.7e9 + 0.0015 },
  });
  expect(spans[0]?.links[0]?.context).toMatchObject({ trace_id: link.traceId, span_id: link.spanId });
});

it.each([
  [{}],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "" }],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318", OTEL_SDK_DISABLED: "true" }],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318", OTEL_TRACES_EXPORTER: "none" }],
])("telemetry is off in %j, and nothing is said", async (environment) => {
  const warnings: string[] = [];
  expect(
    await openTelemetry(
      { run: "run", workflow: "faraday.train" },
      { environment, warn: (message) => warnings.push(message) },
    ),
  ).toBeNull();
  expect(warnings).toEqual([]);
});

it.each([
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "localhost:4318" }, /OTEL_EXPORTER_OTLP_ENDPOINT must be an http or https URL/],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://h:1", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
    /must be http\/protobuf, got grpc/,
  ],
])("telemetry is off in %j, and the reason is told", (environment, message) => {
  const warnings: string[] = [];
  expect(readOtelEnvironment(environment, (text) => warnings.push(text))).toBeNull();
  expect(warnings).toEqual([expect.stringMatching(message)]);
});

it("of the variables, those for traces win; what is wrong is passed over, and no secret is repeated", () => {
  const warnings: string[] = [];
  const settings = readOtelEnvironment(
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://general:4318",
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://traces/in",
      OTEL_EXPORTER_OTLP_HEADERS: "a=1",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "authorization=Bearer%20x, hunter2 ,b=%zz",
      OTEL_EXPORTER_OTLP_TIMEOUT: "soon",
      OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
      OTEL_RESOURCE_ATTRIBUTES: "service.name=mine",
    },
    (text) => warnings.push(text),
  );
  expect(settings).toEqual({
    ...{ url: "https://traces/in", headers: { authorization: "Bearer x" }, timeoutMs: 10_000, gzip: true },
    ...{ resource: { "service.name": "mine" }, captureContent: false },
  });
  expect(warnings).toHaveLength(3);
  expect(warnings.join()).not.toContain("hunter2");
});
