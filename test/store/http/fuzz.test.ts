import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ProtobufError } from "../../../src/store/otlp/protobuf-reader.ts";
import { readTraceRequest } from "../../../src/store/otlp/trace-request.ts";
import { ask, type ServedStore, serveStore } from "./serve-store.ts";

let server: ServedStore;
let rollout: string;
let attempt: string;
beforeAll(async () => {
  server = await serveStore();
  const { body } = await ask(server.url, "/rollouts", { input: {} });
  rollout = body.rollout_id;
  attempt = body.attempt.attempt_id;
});
afterAll(() => server[Symbol.asyncDispose]());

const field = fc.constantFrom(
  ...[
    "input",
    "mode",
    "status",
    "config",
    "metadata",
    "worker_id",
    "limit",
    "offset",
    "sort_by",
    "sort_order",
    "rollouts",
  ],
  ...[
    "rollout_id",
    "attempt_id",
    "rollout_ids",
    "timeout",
    "heartbeat_stats",
    "filter_logic",
    "status_in",
    "name_contains",
  ],
);
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    "train",
    "running",
    "latest",
    "asc",
    "or",
    "rollout_id",
    -1,
    0,
    1,
    2 ** 53,
    null,
    "__proto__",
    "\ud800",
    "\0",
  ),
  fc.constant([{ input: 1 }]),
);
const path = fc.constantFrom(
  ...["/queues/rollouts/enqueue", "/queues/rollouts/dequeue", "/rollouts", "/rollouts/search", "/workers/search"],
  ...[
    "/workers/w",
    "/resources",
    "/resources/r",
    "/spans",
    "/spans/search",
    "/spans/next",
    "/rollouts/ID",
    "/rollouts/ID/attempts",
  ],
  ...[
    "/rollouts/ID/attempts/search",
    "/rollouts/ID/attempts/AT",
    "/rollouts/%00",
    "/rollouts/%zz",
    "/workers/%F0%9F%92%A5",
  ],
);

describe("whatever comes", () => {
  it("no JSON makes the server fail, and every refusal says why", async () => {
    await fc.assert(
      fc.asyncProperty(path, fc.dictionary(field, value, { maxKeys: 5 }), async (template, body) => {
        const named = template.replace("ID", rollout).replace("AT", attempt);
        const answer = await ask(server.url, named, body);
        expect(answer.status).toBeLessThan(500);
        if (answer.status >= 400) expect(answer.body).toHaveProperty("detail");
      }),
      { numRuns: 300 },
    );
    expect((await ask(server.url, "/statistics")).status).toBe(200);
  });

  it("no query string makes it fail", async () => {
    const query = fc.dictionary(field, fc.oneof(fc.string(), fc.integer().map(String)), { maxKeys: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("/rollouts", "/workers", "/resources", "/spans"),
        query,
        async (list, params) => {
          const answer = await ask(server.url, `${list}?${new URLSearchParams(params)}`);
          expect(answer.status).toBeLessThan(500);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("no bytes make the reader of traces throw anything but a ProtobufError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          readTraceRequest(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(ProtobufError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("no bytes sent as traces make the server fail", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), fc.boolean(), async (bytes, packed) => {
        const headers = { "content-type": "application/x-protobuf", ...(packed ? { "content-encoding": "gzip" } : {}) };
        const answer = await fetch(`${server.url}/v1/traces`, { method: "POST", headers, body: Buffer.from(bytes) });
        expect([200, 400]).toContain(answer.status);
      }),
      { numRuns: 100 },
    );
  });
});
