import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readTraceRequest } from "../../../src/store/otlp/trace-request.ts";
import { attribute, double, fixed64, integer, message, text, varint } from "./protobuf.ts";
import { ask, type ServedStore, serveStore } from "./serve-store.ts";

const protobuf = { "content-type": "application/x-protobuf" };

interface Sent {
  readonly resource?: readonly Buffer[];
  readonly spans: readonly (readonly Buffer[])[];
}

function request({ resource = [], spans }: Sent): Buffer {
  const sent = spans.map((parts) => message(2, ...parts));
  return message(
    1,
    message(1, ...resource),
    message(2, message(1, text(1, "scope")), ...sent),
    text(3, "https://schema"),
  );
}

const owner = (number: number, rollout: string, attempt: string) => [
  attribute(number, "agentlightning.rollout_id", text(1, rollout)),
  attribute(number, "agentlightning.attempt_id", text(1, attempt)),
];
const span = (id: string, ...more: readonly Buffer[]) => [
  ...[message(1, Buffer.from("ab".repeat(16), "hex")), message(2, Buffer.from(id.padStart(16, "0"), "hex"))],
  ...[text(5, `span ${id}`), ...more],
];

describe("traces", () => {
  let server: ServedStore;
  let rollout: string;
  let attempt: string;
  beforeEach(async () => {
    server = await serveStore();
    const { body } = await ask(server.url, "/rollouts", { input: {} });
    rollout = body.rollout_id;
    attempt = body.attempt.attempt_id;
  });
  afterEach(() => server[Symbol.asyncDispose]());

  const send = (body: Buffer, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${server.url}/v1/traces`, { method: "POST", headers: { ...protobuf, ...headers }, body });
  const stored = async () => (await ask(server.url, "/spans/search", { rollout_id: rollout })).body.items;

  it("become spans of the attempt that they name, the span before its resource, and number themselves", async () => {
    const other = (await ask(server.url, "/rollouts", { input: {} })).body;
    const spans = [
      span("1"),
      span("2", attribute(9, "agentlightning.span_sequence_id", text(1, "40"))),
      span("3", ...owner(9, other.rollout_id, other.attempt.attempt_id)),
      span("4"),
    ];
    const answer = await send(gzipSync(request({ resource: owner(1, rollout, attempt), spans })), {
      "content-encoding": "gzip",
    });
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
    expect(
      (await stored()).map((each: { sequence_id: number; name: string }) => [each.sequence_id, each.name]),
    ).toEqual([
      [1, "span 1"],
      [2, "span 4"],
      [40, "span 2"],
    ]);
    const next = await ask(server.url, "/spans/next", { rollout_id: rollout, attempt_id: attempt });
    expect(next.body).toEqual({ sequence_id: 41 });
    const latest = await ask(server.url, `/rollouts/${rollout}/attempts/latest`);
    expect(latest.body.status).toBe("running");
  });

  it("that name no attempt, or none that is here, are dropped, and the answer says how many", async () => {
    const spans = [
      span("1"),
      span("2", ...owner(9, "ro-000000000000", attempt)),
      span("3", ...owner(9, rollout, attempt)),
    ];
    const answer = await send(request({ spans }));
    expect(answer.status).toBe(200);
    const why = "spans need agentlightning.rollout_id and .attempt_id of an attempt in the store";
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(message(1, integer(1, 2), text(2, why)));
    expect(await stored()).toHaveLength(1);
    expect(server.warnings).toEqual([
      "spans without agentlightning.rollout_id or .attempt_id are dropped",
      "spans of an attempt that does not take them are dropped",
    ]);
  });

  it("sent twice are stored once", async () => {
    const body = request({ resource: owner(1, rollout, attempt), spans: [span("1"), span("2")] });
    await send(body);
    expect((await send(body)).status).toBe(200);
    expect(await stored()).toHaveLength(2);
  });

  it.each([
    ["JSON", '{"resourceSpans": []}', "application/json", "Unsupported Content-Type 'application/json', expected"],
    ["what is no protobuf", "\x0a\xff", protobuf["content-type"], "Unable to parse OTLP traces payload"],
  ])("as %s are refused with a Status in protobuf", async (_, body, type, said) => {
    const answer = await send(Buffer.from(body, "latin1"), { "content-type": type });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([400, protobuf["content-type"]]);
    expect(await answer.text()).toContain(said);
  });
});

describe("the reader of traces", () => {
  const read = (...parts: readonly Buffer[]) => {
    const { spans } = readTraceRequest(request({ resource: owner(1, "ro", "at"), spans: [span("7", ...parts)] }));
    expect(spans).toHaveLength(1);
    return spans[0] as NonNullable<(typeof spans)[0]>;
  };

  it("reads every kind of value, and turns those that no attribute can have into text", () => {
    const list = (...values: readonly Buffer[]) => message(5, ...values.map((value) => message(1, value)));
    const { attributes } = read(
      attribute(9, "text", text(1, "größe ✓")),
      attribute(9, "yes", integer(2, 1)),
      attribute(9, "negative", Buffer.concat([varint(3 << 3), varint(-5)])),
      attribute(9, "double", double(4, 0.1)),
      attribute(9, "nan", double(4, Number.NaN)),
      attribute(9, "list", list(text(1, "a"), text(1, "b"))),
      attribute(9, "mixed", list(text(1, "a"), integer(3, 1))),
      attribute(9, "map", message(6, message(1, text(1, "k"), message(2, integer(3, 1))))),
      attribute(9, "bytes", message(7, Buffer.from([0xab, 1]))),
      attribute(9, "nothing", Buffer.alloc(0)),
      attribute(9, "__proto__", text(1, "polluted")),
    );
    expect(attributes).toEqual({
      ...{ text: "größe ✓", yes: true, negative: -5, double: 0.1, nan: "NaN", list: ["a", "b"] },
      ...{ mixed: '["a",1]', map: '{"k":1}', bytes: "ab01" },
    });
  });

  it("reads events, links, status, parent and resource", () => {
    const read1 = read(
      message(4, Buffer.from("01", "hex")),
      message(11, fixed64(1, 1_700_000_000_500_000_000n), text(2, "event"), attribute(3, "k", integer(3, 2))),
      message(13, message(1, Buffer.from("04".repeat(16), "hex")), message(2, Buffer.from("05".repeat(8), "hex"))),
      message(15, text(2, "went wrong"), integer(3, 2)),
      integer(6, 3),
    );
    expect(read1).toMatchObject({
      trace_id: "ab".repeat(16),
      parent_id: "0000000000000001",
      events: [{ name: "event", attributes: { k: 2 }, timestamp: 1_700_000_000.5 }],
      links: [{ context: { trace_id: "04".repeat(16), span_id: "05".repeat(8) }, attributes: null }],
      status: { status_code: "ERROR", description: "went wrong" },
      resource: { attributes: { "agentlightning.rollout_id": "ro" }, schema_url: "https://schema" },
      ...{ parent: null, start_time: null },
    });
  });

  it("rounds nanoseconds once", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 10n ** 12n + 1n, max: 2n ** 63n }), (nanoseconds) => {
        const seconds = read(fixed64(7, nanoseconds)).start_time;
        // Quotient and remainder are exact, so that only their sum is rounded.
        const exact = Number(nanoseconds / 10n ** 9n) + Number(nanoseconds % 10n ** 9n) / 1e9;
        expect(seconds).toBe(exact);
      }),
    );
  });

  it("reads all integers of 64 bits to their last digit", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const encoded = Buffer.concat([varint(3 << 3), varint(value)]);
        const list = message(5, message(1, encoded), message(1, integer(3, 1)));
        const { attributes } = read(attribute(9, "n", encoded), attribute(9, "list", list));
        expect(JSON.stringify(attributes)).toBe(`{"n":${value},"list":[${value},1]}`);
      }),
    );
  });

  it("reads integers up to 2^53 as numbers, of either sign", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const encoded = Buffer.concat([varint(3 << 3), varint(value)]);
        expect(read(attribute(9, "n", encoded)).attributes.n).toBe(value);
      }),
    );
  });
});
