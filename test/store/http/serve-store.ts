import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "../../../src/core/logger.ts";
import { StoreServer, type StoreServerOptions } from "../../../src/store/http/store-server.ts";
import { openStore } from "../../../src/store/open.ts";

export interface ServedStore extends AsyncDisposable {
  readonly url: string;
  /** Where its file lies. */
  readonly baseDir: string;
  /** What it warned of. */
  readonly warnings: readonly string[];
}

/** A server of an SQLite store in a folder of its own, on a free port. */
export async function serveStore(options: Omit<StoreServerOptions, "store"> = {}): Promise<ServedStore> {
  const baseDir = mkdtempSync(join(tmpdir(), "faraday-served-"));
  const store = await openStore("sqlite:faraday.db", { baseDir });
  const warnings: string[] = [];
  const server = await StoreServer.listen({ ...{ port: 0, logger: loggerTo(warnings) }, ...options, store });
  return {
    url: server.url,
    ...{ baseDir, warnings },
    async [Symbol.asyncDispose]() {
      await server.close();
      await store[Symbol.asyncDispose]();
      rmSync(baseDir, { recursive: true });
    },
  };
}

function loggerTo(warnings: string[]): Logger {
  const keep = (message: string) => void warnings.push(message);
  return { debug() {}, info() {}, warning: keep, error: keep };
}

const agl = "/v1/agl";

/** A request of the API as JSON, and what came of it. */
export async function ask(url: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) {
  const answer = await fetch(url + agl + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text === "" ? undefined : JSON.parse(text) };
}
