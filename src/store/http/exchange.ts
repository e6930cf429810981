import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { FaradayError, messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import { BadValueError, UnknownIdError } from "../store-errors.ts";
import type { CrossOrigin } from "./cross-origin.ts";
import { HttpError } from "./http-error.ts";
import { namesLoopback } from "./loopback.ts";
import type { Metrics } from "./metrics.ts";
import { jsonOf, readBody } from "./request-body.ts";
import { type Call, Lines, Raw, type RawReply, type Route } from "./route.ts";
import type { Match, Router } from "./router.ts";
import type { ServerLimits } from "./server-limits.ts";
import type { Tokens } from "./tokens.ts";

export interface ExchangeOptions {
  readonly router: Router;
  readonly tokens: Tokens;
  readonly origins: CrossOrigin;
  readonly limits: ServerLimits;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Aborted when the server closes. */
  readonly closing: AbortSignal;
}

const jsonType = "application/json";

/** From a request to its answer. */
export class Exchange {
  readonly #options: ExchangeOptions;
  #knownHost: string | undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { metrics, router } = this.#options;
    const started = performance.now();
    const { path, search } = placeOf(request.url ?? "/");
    const found = router.find(request.method ?? "", path);
    const match = found !== undefined && "route" in found ? found : undefined;
    try {
      const reply = await this.#reply(request, response, { found, search });
      if (reply instanceof Lines) await this.#stream(response, reply);
      else this.#send(request, response, reply);
    } catch (error) {
      this.#send(request, response, this.#refusal(error, request));
    }
    metrics.requestEnded(match?.route, { status: response.statusCode, seconds: (performance.now() - started) / 1000 });
  }

  async #reply(
    request: IncomingMessage,
    response: ServerResponse,
    { found, search }: { readonly found: ReturnType<Router["find"]>; readonly search: string },
  ): Promise<RawReply | Lines> {
    const { tokens, origins } = this.#options;
    const { origin, host, authorization } = request.headers;
    if (!tokens.required) this.#checkHost(host);
    if (request.method === "OPTIONS" && origin !== undefined) return preflight(origins, request);
    if (found === undefined) throw new HttpError(404, "Not Found");
    if (!("route" in found)) throw new HttpError(405, "Method Not Allowed", { Allow: found.join(", ") });
    const { route } = found;
    tokens.check(route.access, authorization);
    if (route.method !== "GET") origins.refuseForeign(origin, host);
    return await this.#run(found, { request, response, search });
  }

  /** Clients come by the same name again and again. */
  #checkHost(host: string | undefined): void {
    if (host !== undefined && host === this.#knownHost) return;
    if (!namesLoopback(host)) {
      throw new HttpError(403, `without tokens this serves localhost and 127.0.0.1 alone, not ${String(host)}`);
    }
    this.#knownHost = host;
  }

  async #run(
    { route, params }: Match,
    {
      request,
      response,
      search,
    }: { readonly request: IncomingMessage; readonly response: ServerResponse; readonly search: string },
  ): Promise<RawReply | Lines> {
    const call: Call = {
      ...{ params, search, headers: request.headers },
      body: await this.#body(route, request),
      signal: () => leaving(response, this.#options.closing),
    };
    const result = await route.run(call);
    if (result instanceof Raw || result instanceof Lines) return result;
    return { status: route.status, type: jsonType, bytes: JSON.stringify(result ?? null) };
  }

  async #body({ takes }: Route, request: IncomingMessage): Promise<unknown> {
    if (takes === "nothing") return undefined;
    const bytes = await readBody(request, this.#options.limits.bodyBytes);
    return takes === "bytes" ? bytes : jsonOf(request, bytes);
  }

  #send(request: IncomingMessage, response: ServerResponse, { status, type, bytes, headers = {} }: RawReply): void {
    if (response.headersSent || response.destroyed) return;
    const { origins, closing } = this.#options;
    const length = Buffer.byteLength(bytes);
    const lines = ["Content-Type", type, "Content-Length", String(length)];
    for (const [name, value] of Object.entries(headers)) lines.push(name, value);
    for (const [name, value] of Object.entries(origins.headers(request.headers.origin))) lines.push(name, value);
    if (closing.aborted) lines.push("Connection", "close");
    response.writeHead(status, lines);
    // Most answers are ASCII, which goes out without a second look at each character.
    if (typeof bytes === "string" && length === bytes.length) response.end(bytes, "latin1");
    else response.end(bytes);
  }

  /** As fast as the client takes it. Nothing is promised before there is a first line; an answer that ends early says so. */
  async #stream(response: ServerResponse, { lines }: Lines): Promise<void> {
    const rest = lines[Symbol.asyncIterator]();
    const first = await rest.next();
    response.writeHead(200, { "Content-Type": "application/x-ndjson" });
    const all = async function* () {
      for (let line = first; line.done !== true; line = await rest.next()) yield line.value;
    };
    await pipeline(Readable.from(all()), response).catch(() => response.destroy());
  }

  #refusal(error: unknown, request: IncomingMessage): RawReply {
    const { status, detail, headers } = this.#httpError(error, request);
    return { status, type: jsonType, bytes: JSON.stringify({ detail }), headers };
  }

  #httpError(error: unknown, { method, url }: IncomingMessage): HttpError {
    if (error instanceof HttpError) return error;
    if (error instanceof UnknownIdError) return new HttpError(404, error.message);
    if (error instanceof BadValueError) return new HttpError(400, error.message);
    // Whoever wrote it meant to: nothing that a trainer or an agent sends is thousands of levels deep.
    if (error instanceof RangeError && error.message.startsWith("Maximum call stack")) {
      return new HttpError(400, "the body is nested too deeply");
    }
    if (this.#options.closing.aborted) return new HttpError(503, "the server closes", { "Retry-After": "1" });
    this.#options.logger.error("a request failed", { method, url, error: messageOf(error) });
    // The log says why; others need not know where the database lies.
    return new HttpError(500, "Internal server error");
  }
}

function placeOf(url: string): { readonly path: string; readonly search: string } {
  const mark = url.indexOf("?");
  return mark < 0 ? { path: url, search: "" } : { path: url.slice(0, mark), search: url.slice(mark + 1) };
}

function preflight(origins: CrossOrigin, request: IncomingMessage): RawReply {
  const wanted = request.headers["access-control-request-headers"];
  const headers = origins.preflight(request.headers.origin, wanted);
  if (headers === undefined) throw new HttpError(400, "Disallowed CORS origin");
  return { status: 200, type: "text/plain", bytes: "OK", headers };
}

/** A signal that is aborted when the client hangs up or the server closes. */
function leaving(response: ServerResponse, closing: AbortSignal): AbortSignal {
  const left = new AbortController();
  // Who asks for a signal lets its client wait.
  response.setTimeout(0);
  response.once("close", () => left.abort(new FaradayError("the client left")));
  return AbortSignal.any([left.signal, closing]);
}
