import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { InputError } from "../../../src/core/errors.ts";
import { StoreServer } from "../../../src/store/http/store-server.ts";
import { Tokens } from "../../../src/store/http/tokens.ts";
import { ask, type ServedStore, serveStore } from "./serve-store.ts";

const reader = "reader-0123456789abcdef";
const writer = "writer-0123456789abcdef";
let folder: string;
let server: ServedStore;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "faraday-tokens-"));
  server = await serveStore({ tokens: Tokens.fromFile(tokenFile(`# who\nread ${reader}\n\nwrite ${writer}\n`)) });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

function tokenFile(text: string, mode = 0o600): string {
  const file = join(folder, "tokens");
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

describe("tokens", () => {
  const none = {};
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const basic = (token: string) => ({ authorization: `Basic ${Buffer.from(`agent:${token}`).toString("base64")}` });
  const search = ["/rollouts/search", {}] as const;
  const enqueue = ["/queues/rollouts/enqueue", { rollouts: [] }] as const;

  it.each([
    ["nobody is told whether it lives", "/health", undefined, none, 200],
    ["nobody reads without a token", "/statistics", undefined, none, 401],
    ["nobody writes without a token", ...enqueue, none, 401],
    ["nobody reads with a wrong one", "/statistics", undefined, bearer(`${reader}x`), 401],
    ["nobody reads with another scheme", "/statistics", undefined, { authorization: `Digest ${reader}` }, 401],
    ["a reader reads", "/statistics", undefined, bearer(reader), 200],
    ["a reader searches", ...search, bearer(reader), 200],
    ["a reader does not write", ...enqueue, bearer(reader), 403],
    ["a writer reads", ...search, bearer(writer), 200],
    ["a writer writes", ...enqueue, bearer(writer), 201],
    ["a writer writes with the token as a password", ...enqueue, basic(writer), 201],
    ["a reader does not write with it as a password either", ...enqueue, basic(reader), 403],
  ])("%s", async (_, path, body, headers, status) => {
    const answer = await ask(server.url, path, body, headers);
    expect(answer.status).toBe(status);
    if (status >= 400) expect(answer.body).toEqual({ detail: expect.any(String) });
    if (status === 401) expect(answer.headers.get("www-authenticate")).toContain("Bearer");
  });

  it.each(["/metrics", "/v1/traces"])("%s is guarded too", async (path) => {
    const answer = await fetch(server.url + path, { method: path === "/metrics" ? "GET" : "POST" });
    expect(answer.status).toBe(401);
  });

  it.each([
    ["others may read", `write ${writer}`, 0o644, /chmod 600/],
    ["has no token", "# none\n", 0o600, /has no token/],
    ["has a short one", "write short", 0o600, /tokens:1: a token has 16 or more/],
    ["has an unknown right", `own ${writer}`, 0o600, /tokens:1 must be read TOKEN, write TOKEN or TOKEN/],
  ])("a token file is refused that %s", (_, text, mode, message) => {
    expect(() => Tokens.fromFile(tokenFile(text, mode))).toThrow(message);
  });

  it("148: nothing beyond this machine is served without them", async () => {
    const listening = StoreServer.listen({ store: {} as never, host: "0.0.0.0", port: 0 });
    await expect(listening).rejects.toThrow(InputError);
    await expect(listening).rejects.toThrow(/0\.0\.0\.0.*needs --token-file/);
  });
});

describe("pages of elsewhere", () => {
  it("are told nothing that was not allowed, and change nothing", async () => {
    await using open = await serveStore();
    const foreign = { origin: "https://elsewhere.example" };
    const health = await ask(open.url, "/health", undefined, foreign);
    expect(health.headers.get("access-control-allow-origin")).toBeNull();
    const sent = await fetch(`${open.url}/v1/agl/queues/rollouts/dequeue`, { method: "POST", headers: foreign });
    expect(sent.status).toBe(403);
    const plain = await ask(open.url, "/resources", {}, { "content-type": "text/plain" });
    expect(plain.status).toBe(415);
  });

  it("of a named origin may, with credentials", async () => {
    const origin = "https://board.example";
    await using open = await serveStore({ corsOrigins: [origin] });
    const preflight = await fetch(`${open.url}/v1/agl/resources`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    });
    expect(preflight.status).toBe(200);
    expect(preflight.headers.get("access-control-allow-methods")).toContain("POST");
    const answer = await ask(open.url, "/resources", {}, { origin });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
    expect(answer.headers.get("access-control-allow-credentials")).toBe("true");
    const other = await ask(open.url, "/health", undefined, { origin: "https://elsewhere.example" });
    expect(other.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("147: of all origins may, without credentials", async () => {
    await using open = await serveStore({ corsOrigins: ["*"] });
    const { headers } = await ask(open.url, "/health", undefined, { origin: "https://any.example" });
    expect(headers.get("access-control-allow-origin")).toBe("*");
    expect(headers.get("access-control-allow-credentials")).toBeNull();
  });

  it("reach nothing by a name of their own that resolves to this machine", async () => {
    await using open = await serveStore();
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request(`${open.url}/v1/agl/statistics`, { headers: { host: "rebound.example" } }, (answer) => {
        resolve(answer.statusCode);
        answer.resume();
      });
      sent.on("error", reject).end();
    });
    expect(status).toBe(403);
  });
});
