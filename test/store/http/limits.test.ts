import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { openStore } from "../../../src/store/open.ts";
import { ask, serveStore } from "./serve-store.ts";

const json = { "content-type": "application/json" };

describe("what a request may not be", () => {
  it.each([
    ["no JSON", "/resources", "{", {}, 422],
    ["JSON with NaN", "/resources", '{"a": NaN}', {}, 422],
    ["no gzip where it says gzip", "/resources", "{}", { "content-encoding": "gzip" }, 400],
    ["of an unknown packing", "/resources", "{}", { "content-encoding": "br" }, 415],
    ["without what it must have", "/queues/rollouts/enqueue", {}, {}, 422],
    ["of the wrong type", "/queues/rollouts/dequeue", { limit: "many" }, {}, 422],
    ["a list where an object is wanted", "/rollouts", [1], {}, 422],
    ["with a status that there is not", "/rollouts/ro-1", { status: "done" }, {}, 422],
    ["for an unknown rollout", "/rollouts/ro-1", { status: "running" }, {}, 404],
    ["for an unknown attempt", "/rollouts/ro-1/attempts/at-1", { status: "running" }, {}, 404],
    ["for an unknown rollout's attempt", "/rollouts/ro-1/attempts", {}, {}, 404],
    ["with a span that has no name", "/spans", { rollout_id: "ro-1" }, {}, 422],
    ["to an unknown place", "/nothing", {}, {}, 404],
  ])("%s", async (_, path, body, headers, status) => {
    await using server = await serveStore();
    const answer = await ask(server.url, path, body, headers);
    expect(answer.status).toBe(status);
    expect(answer.body).toHaveProperty("detail");
    if (status === 422) {
      expect(answer.body.detail[0]).toMatchObject({
        type: expect.any(String),
        loc: expect.any(Array),
        msg: expect.any(String),
      });
    }
    expect(JSON.stringify(answer.body)).not.toMatch(/\.ts|\bat \w+ \(/);
  });

  it("a method that a path does not have", async () => {
    await using server = await serveStore();
    const answer = await fetch(`${server.url}/v1/agl/rollouts`, { method: "DELETE" });
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe("POST, GET");
  });
});

describe("how much a request may be", () => {
  const bodyBytes = 1000;

  it.each([
    ["announced", JSON.stringify({ a: "a".repeat(bodyBytes) }), {}],
    ["unpacked", gzipSync(JSON.stringify({ a: "a".repeat(bodyBytes) })), { "content-encoding": "gzip" }],
    ["sent in pieces", new Blob([`{"a": "${"a".repeat(bodyBytes)}"}`]).stream(), {}],
  ])("a body is refused that is too large as %s", async (_, body, headers) => {
    await using server = await serveStore({ limits: { bodyBytes } });
    const answer = await fetch(`${server.url}/v1/agl/resources`, {
      ...{ method: "POST", headers: { ...json, ...headers }, body, duplex: "half" },
    });
    expect(answer.status).toBe(413);
  });

  it("headers are refused that are too large", async () => {
    await using server = await serveStore({ limits: { headerBytes: 2000 } });
    const answer = await ask(server.url, "/health", undefined, { "x-long": "a".repeat(3000) });
    expect(answer.status).toBe(431);
  });

  it.each([
    ["headers", "GET /v1/agl/health HTTP/1.1\r\nHost: localhost\r\n"],
    [
      "body",
      "POST /v1/agl/resources HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{",
    ],
  ])("a client that never ends its %s is hung up on", async (_, sent) => {
    await using server = await serveStore({ limits: { headersTimeoutMs: 50, requestTimeoutMs: 100 } });
    const { port } = new URL(server.url);
    const received = await new Promise<string>((resolve, reject) => {
      let text = "";
      const socket = connect(Number(port), "127.0.0.1", () => socket.write(sent));
      socket.on("data", (data) => {
        text += data;
      });
      socket.on("close", () => resolve(text)).on("error", reject);
    });
    expect(received).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("a client that takes nothing of its answer is hung up on", async () => {
    await using server = await serveStore({ limits: { stalledTimeoutMs: 1000 } });
    await using store = await openStore("sqlite:faraday.db", { baseDir: server.baseDir });
    const { rollout_id } = await store.enqueueRollout({ input: "a".repeat(2 ** 24) });
    const path = `/v1/agl/rollouts/${rollout_id}`;
    const hungUp = serverClosed(path);
    const client = connect(Number(new URL(server.url).port), "127.0.0.1");
    // It reads no more than what the system reads ahead, so that nobody but the server can end this.
    client.on("error", () => {}).write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await hungUp;
    expect(client.bytesRead).toBeLessThan(2 ** 24);
    client.destroy();
  });

  it("a client that waits for longer than one may be idle is not hung up on", async () => {
    await using server = await serveStore({ limits: { stalledTimeoutMs: 2000 } });
    const { body } = await ask(server.url, "/rollouts", { input: 1 });
    const waiting = ask(server.url, "/waits/rollouts", { rollout_ids: [body.rollout_id], timeout: 2.5 });
    expect(await waiting).toMatchObject({ status: 200, body: [] });
  });

  it("waits are counted", async () => {
    await using server = await serveStore({ limits: { waitsMax: 1 } });
    const { body } = await ask(server.url, "/rollouts", { input: 1 });
    const waiting = ask(server.url, "/waits/rollouts", { rollout_ids: [body.rollout_id], timeout: 0.5 });
    const answers = [
      await ask(server.url, "/waits/rollouts", { rollout_ids: [body.rollout_id], timeout: 0.5 }),
      await waiting,
    ];
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 503]);
  });
});

it("a server that closes answers what is in hand, and ends what waits", async () => {
  const server = await serveStore({ limits: { waitsMax: 1 } });
  const { body } = await ask(server.url, "/rollouts", { input: 1 });
  const wait = { rollout_ids: [body.rollout_id] };
  const waiting = ask(server.url, "/waits/rollouts", wait);
  // Once one waits, there is no place for another.
  while ((await ask(server.url, "/waits/rollouts", { ...wait, timeout: 0 })).status !== 503);
  await server[Symbol.asyncDispose]();
  expect([200, 503]).toContain((await waiting).status);
  await expect(ask(server.url, "/health")).rejects.toThrow();
});

/** Resolves once the server has closed the connection on which a path is asked for next. */
function serverClosed(path: string): Promise<void> {
  const channel = "http.server.request.start";
  return new Promise((resolve) => {
    const look = (message: unknown) => {
      const { request } = message as { readonly request: IncomingMessage };
      if (request.url !== path) return;
      unsubscribe(channel, look);
      request.socket.once("close", () => resolve());
    };
    subscribe(channel, look);
  });
}
