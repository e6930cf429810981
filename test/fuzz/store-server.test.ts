import { Agent, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openStore } from "../../src/store/open.ts";
import { ProtobufError } from "../../src/store/otlp/protobuf-reader.ts";
import { readTraceRequest } from "../../src/store/otlp/trace-request.ts";
import { attribute, double, fixed64, integer, message, text } from "../store/http/protobuf.ts";
import { ask, type ServedStore, serveStore } from "../store/http/serve-store.ts";
import { Answering, bodyBytes, type Sent } from "./answering.ts";
import { expectClearText, fuzz, fuzzTimeout, scratchFolder } from "./fuzz.ts";
import { mutantBytes, mutantJson, mutantText } from "./mutants.ts";

let server: ServedStore;
let store: Awaited<ReturnType<typeof openStore>>;
let answering: Answering;
let rollout = "";
let attempt = "";
vi.stubEnv("TMPDIR", scratchFolder());
beforeAll(async () => {
  server = await serveStore({ limits: { bodyBytes } });
  store = await openStore("sqlite:faraday.db", { baseDir: server.baseDir });
  answering = new Answering(store);
  const { body } = await ask(server.url, "/rollouts", { input: {} });
  rollout = body.rollout_id;
  attempt = body.attempt.attempt_id;
});
afterAll(async () => {
  // Faults of our own are logged; what came is not.
  expect(server.warnings.filter((warning) => warning === "a request failed")).toEqual([]);
  expect((await ask(server.url, "/statistics")).status).toBe(200);
  await store[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const agent = new Agent({ keepAlive: true });
afterAll(() => agent.destroy());

/** Much cheaper than fetch. */
function send({ method, path, headers = {}, body }: Sent): Promise<{ readonly status: number; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(server.url, { agent, method, path, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }));
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

let count = 0;

/** Taken, or refused with what is wrong; one in twenty over the network. */
async function expectAnswer(sent: Sent): Promise<void> {
  await answering.expectAnswer(sent);
  if (count++ % 20 === 0) await expectServed(sent);
}

async function expectServed(sent: Sent): Promise<void> {
  const { status, body } = await send(sent);
  expect(status).toBeLessThan(500);
  if (status < 400) return;
  const { detail } = JSON.parse(String(body));
  expectClearText(JSON.stringify(detail));
}

const json = { "content-type": "application/json" };
const span = {
  ...{ rollout_id: "r", attempt_id: "a", sequence_id: 1, trace_id: "00", span_id: "11", parent_id: null, name: "n" },
  ...{
    status: { status_code: "OK", description: null },
    attributes: { a: 1 },
    events: [],
    links: [],
    start_time: 1,
    end_time: 2,
  },
  ...{ context: { trace_id: "00", span_id: "11", is_remote: false, trace_state: {} }, parent: null },
  resource: { attributes: {}, schema_url: "" },
};
/** What each place takes. */
const bodies: Readonly<Record<string, unknown>> = {
  "/v1/agl/rollouts": { input: { a: 1 }, mode: "train", metadata: { a: "b" }, config: { timeout_seconds: 3 } },
  "/v1/agl/queues/rollouts/enqueue": { rollouts: [{ input: 1 }, { input: "x", mode: "val" }] },
  "/v1/agl/queues/rollouts/dequeue": { limit: 1, worker_id: "w" },
  "/v1/agl/rollouts/search": { status_in: ["queuing"], limit: 1, offset: 0, sort_by: "rollout_id", sort_order: "asc" },
  "/v1/agl/rollouts/ID": { status: "running", metadata: null },
  "/v1/agl/rollouts/ID/attempts/AT": { status: "running", worker_id: "w" },
  "/v1/agl/spans": span,
  "/v1/agl/spans/next": { rollout_id: "ID", attempt_id: "AT" },
  "/v1/agl/workers/w": { heartbeat_stats: { cpu: 1 } },
  "/v1/agl/resources": {
    resources: { prompt: { template: "x", engine: "f-string", resource_type: "prompt_template" } },
  },
  "/v1/faraday/beginRun": [{ id: "run", config: { a: { $faraday: ["Float32Array", "AAAAAA=="] } } }],
  "/v1/faraday/episodes": ["run", "train", 1],
  "/v1/faraday/importSpans": ["run", []],
  "/v1/faraday/violations": ["run", 3],
  "/v1/faraday/auditTree": ["run"],
};
const named = (path: string) => path.replace("ID", rollout).replace("AT", attempt);

describe("whatever comes to a server", fuzzTimeout, () => {
  it("as JSON", () => {
    const cases = fc
      .constantFrom(...Object.keys(bodies))
      .chain((path) =>
        fc.tuple(fc.constant(path), fc.oneof(mutantJson(bodies[path]), mutantText(JSON.stringify(bodies[path])))),
      );
    return fuzz(cases, ([path, body]) => expectAnswer({ method: "POST", path: named(path), headers: json, body }));
  });

  it("as a query string or a path", () => {
    const places = [
      ...[
        "rollouts?status_in=running&status_in=failed&limit=2&offset=0&sort_by=start_time&sort_order=desc",
        "rollouts/ID",
        "workers?limit=1",
      ],
      ...[
        "spans?rollout_id=ID&attempt_id=latest&limit=1",
        "resources?resources_id_contains=a",
        "rollouts/ID/attempts?limit=1",
      ],
    ];
    // A request line is Latin-1 without blanks; clients encode the rest, and may do so wrongly.
    const sendable = (place: string) =>
      place
        .replaceAll(/[^!-~]/gu, (character) => (character.isWellFormed() ? encodeURIComponent(character) : "%ED%A0%80"))
        .slice(0, 8000);
    return fuzz(mutantText(...places), (place) =>
      expectAnswer({ method: "GET", path: `/v1/agl/${named(sendable(place))}` }),
    );
  });

  it("as bytes that are said to be gzip", () => {
    const whole = gzipSync(JSON.stringify(bodies["/v1/agl/rollouts/search"]));
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    return fuzz(mutantBytes(whole, whole, whole, bomb), (body) =>
      expectAnswer({
        method: "POST",
        path: "/v1/agl/rollouts/search",
        headers: { ...json, "content-encoding": "gzip" },
        body,
      }),
    );
  });

  it("as JSON of any depth", async () => {
    const deep = "[".repeat(40_000) + "]".repeat(40_000);
    for (const path of ["/v1/agl/rollouts", "/v1/agl/workers/w", "/v1/faraday/beginRun", "/v1/agl/spans"]) {
      for (const body of [
        deep,
        `{"input":${deep}}`,
        `{"heartbeat_stats":{"a":${deep}}}`,
        `[{"id":"deep","config":${deep}}]`,
      ]) {
        await expectServed({ method: "POST", path, headers: json, body });
      }
    }
  });

  it("as the bytes of a request", () => {
    const requests = [
      `POST /v1/agl/workers/w HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
      `GET /v1/agl/rollouts?limit=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer x\r\nOrigin: http://x\r\nAccept-Encoding: gzip\r\n\r\n`,
      `POST /v1/agl/workers/w HTTP/1.1\r\nHost: localhost:1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    ];
    return fuzz(mutantText(...requests), async (request) => expect(await statusesOf(request)).not.toMatch(/ 5\d\d /));
  });
});

/** The status lines that come for raw bytes, until the server hangs up or has had its say. */
function statusesOf(request: string): Promise<string> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve) => {
    let said = "";
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.end(request, "latin1"));
    socket.on("data", (bytes) => {
      said += bytes.toString("latin1");
    });
    socket.on("error", () => resolve(said));
    socket.on("close", () => resolve(said.match(/^HTTP\/1\.1 \d+ .*$/gm)?.join("\n") ?? ""));
  });
}

describe("whatever comes as traces", fuzzTimeout, () => {
  const hex = (digits: string) => Buffer.from(digits, "hex");
  const owned = (spans: Buffer) =>
    message(
      1,
      message(
        1,
        attribute(1, "agentlightning.rollout_id", text(1, "r")),
        attribute(1, "agentlightning.attempt_id", text(1, "a")),
      ),
      message(2, spans),
    );
  const values = [
    text(1, "é"),
    integer(3, -1),
    double(4, Number.NaN),
    message(5, message(1, text(1, "x"))),
    message(6, attribute(1, "k", integer(2, 1))),
  ];
  const traces = owned(
    message(
      2,
      ...[message(1, hex("00112233445566778899aabbccddeeff")), message(2, hex("0011223344556677")), text(5, "name")],
      ...[fixed64(7, 1_700_000_000_000_000_000n), fixed64(8, 1_700_000_001_000_000_000n)],
      ...values.map((value, index) => attribute(9, `key${index}`, value)),
      ...[
        message(11, fixed64(1, 5n), text(2, "event")),
        message(13, message(1, hex("aa"))),
        message(15, text(2, "bad"), integer(3, 2)),
      ],
    ),
  );

  it("is read, or is a ProtobufError", () =>
    fuzz(mutantBytes(traces), (bytes) => {
      try {
        readTraceRequest(bytes);
      } catch (error) {
        if (!(error instanceof ProtobufError)) throw error;
        expectClearText(error.message);
      }
    }));

  it("is answered by a server", () => {
    const headers = { "content-type": "application/x-protobuf" };
    const own = Buffer.from(traces.toString("latin1"), "latin1");
    const cases = fc.tuple(mutantBytes(own), fc.boolean());
    return fuzz(
      cases,
      async ([bytes, packed]) => {
        const { status } = await send({
          ...{ method: "POST", path: "/v1/traces", body: packed ? gzipSync(bytes, { level: 0 }) : bytes },
          headers: { ...headers, ...(packed ? { "content-encoding": "gzip" } : {}) },
        });
        expect([200, 400]).toContain(status);
      },
      { part: 0.1 },
    );
  });
});
