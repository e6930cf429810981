import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { FaradayError, InputError, messageOf } from "../../core/errors.ts";
import { type Logger, stderrLogger } from "../../core/logger.ts";
import type { LightningStore } from "../lightning-store.ts";
import type { RolloutQueue } from "../rollout-queue.ts";
import { CrossOrigin } from "./cross-origin.ts";
import { Exchange } from "./exchange.ts";
import { isLoopback } from "./loopback.ts";
import { Metrics } from "./metrics.ts";
import { Router } from "./router.ts";
import { type ServerLimitsInput, serverLimits } from "./server-limits.ts";
import { storeRoutes } from "./store-routes.ts";
import { Tokens } from "./tokens.ts";

export interface StoreServerOptions {
  /** What it serves; who opened it closes it. */
  readonly store: RolloutQueue & LightningStore;
  /** Default 127.0.0.1. Anything that is not loopback needs tokens. */
  readonly host?: string;
  /** Default 4747; 0 takes a free one. */
  readonly port?: number;
  readonly tokens?: Tokens;
  /** Pages of these origins may read answers; `*` for all, then without credentials. */
  readonly corsOrigins?: readonly string[];
  readonly limits?: ServerLimitsInput;
  readonly logger?: Logger;
}

/** Serves a store to others: Agent Lightning's HTTP API, OTLP, metrics. */
export class StoreServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #closing = new AbortController();
  readonly #closeTimeoutMs: number;

  private constructor(server: Server, closing: AbortController, closeTimeoutMs: number) {
    this.#server = server;
    this.#closing = closing;
    this.#closeTimeoutMs = closeTimeoutMs;
  }

  /**
   * Resolves once it listens.
   * @throws {InputError} beyond loopback without tokens, or where it cannot listen.
   */
  static async listen({
    store,
    host = "127.0.0.1",
    port = 4747,
    tokens = Tokens.none(),
    corsOrigins = [],
    limits: givenLimits = {},
    logger = stderrLogger,
  }: StoreServerOptions): Promise<StoreServer> {
    if (!tokens.required && !isLoopback(host)) {
      throw new InputError(`serving on ${host}, beyond this machine, needs --token-file; 127.0.0.1 does not`);
    }
    const limits = serverLimits.parse(givenLimits);
    const closing = new AbortController();
    const metrics = new Metrics();
    const exchange = new Exchange({
      ...{ tokens, limits, logger, metrics, closing: closing.signal },
      origins: new CrossOrigin(corsOrigins),
      router: new Router(storeRoutes({ store, metrics, logger, limits })),
    });
    const server = createServer(
      {
        maxHeaderSize: limits.headerBytes,
        headersTimeout: limits.headersTimeoutMs,
        requestTimeout: limits.requestTimeoutMs,
        keepAliveTimeout: limits.idleTimeoutMs,
        connectionsCheckingInterval: Math.min(1000, limits.headersTimeoutMs),
      },
      (request: IncomingMessage, response: ServerResponse) => void exchange.answer(request, response),
    );
    server.maxHeadersCount = limits.headersMax;
    server.maxConnections = limits.connectionsMax;
    server.timeout = limits.stalledTimeoutMs;
    server.on("clientError", refuseUnread);
    await listening(server, host, port);
    return new StoreServer(server, closing, limits.closeTimeoutMs);
  }

  get url(): string {
    const { address, family, port } = this.#server.address() as AddressInfo;
    return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
  }

  /** Answers what is in hand, and lets nothing new in. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#closing.abort(new FaradayError("the server closes"));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), this.#closeTimeoutMs);
    await closed;
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(new InputError(`cannot listen on ${host}:${port}: ${messageOf(error)}`, { cause: error }));
    });
    server.listen({ host, port, backlog: 1024 }, resolve);
  });
}

const unread: Readonly<Record<string, readonly [number, string, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout", "the request did not come in time"],
  HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large", "the headers are too large"],
};

/** What is no request is answered, where that is still possible, and hung up on. */
function refuseUnread(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [status, reason, detail] = unread[error.code ?? ""] ?? [400, "Bad Request", "this is no HTTP request"];
  const body = JSON.stringify({ detail });
  const headers = `Connection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  socket.end(`HTTP/1.1 ${status} ${reason}\r\n${headers}\r\n\r\n${body}`);
}
