import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Where a connection is cut: before the server gets to know of a COMMIT, or before its client gets to know that it was done. */
export type Cut = "before" | "after";

/** Passes bytes on between clients and a PostgreSQL server, and cuts connections at a COMMIT. */
export class CuttingProxy implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #server;
  readonly #target: URL;
  /** Of the commits to come, the first first. */
  #cuts: Cut[] = [];
  cutCount = 0;
  /** Whether nothing is passed on any more, and nobody told. */
  isSilent = false;

  private constructor(target: string) {
    this.#target = new URL(target);
    this.#server = createServer((client) => this.#join(client));
  }

  static async start(target: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    const url = new URL(this.#target);
    url.hostname = "127.0.0.1";
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  cutNext(...cuts: readonly Cut[]): void {
    this.#cuts.push(...cuts);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket): void {
    const server = connect(Number(this.#target.port), this.#target.hostname);
    let isLost = false;
    const end = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", end).on("close", end);
    }
    client.on("data", (bytes) => {
      if (this.isSilent) return;
      const cut = bytes.includes("COMMIT\0") ? this.#cuts.shift() : undefined;
      if (cut !== undefined) this.cutCount++;
      if (cut === "before") return end();
      isLost = cut === "after";
      server.write(bytes);
    });
    server.on("data", (bytes) => (isLost ? end() : client.write(bytes)));
  }
}
