import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "../../../src/core/logger.ts";
import { StoreServer } from "../../../src/store/http/store-server.ts";
import { openStore } from "../../../src/store/open.ts";

export const silent: Logger = { debug() {}, info() {}, warning() {}, error() {} };

/** A server that can be ended and started again at the same address, over one store. */
export class ServedPlace implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "faraday-http-store-"));
  readonly #now: () => number;
  #port = 0;
  #open: { readonly server: StoreServer; readonly store: AsyncDisposable } | undefined;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  async start(): Promise<string> {
    const store = await openStore("sqlite:faraday.db", { baseDir: this.folder, now: this.#now });
    const server = await StoreServer.listen({ store, port: this.#port, logger: silent });
    this.#port = Number(new URL(server.url).port);
    this.#open = { server, store };
    return server.url;
  }

  async stop(): Promise<void> {
    await this.#open?.server.close();
    await this.#open?.store[Symbol.asyncDispose]();
    this.#open = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true });
  }
}
