import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { HttpError } from "../../src/store/http/http-error.ts";
import { Metrics } from "../../src/store/http/metrics.ts";
import { jsonOf, readBody } from "../../src/store/http/request-body.ts";
import { Lines } from "../../src/store/http/route.ts";
import { Router } from "../../src/store/http/router.ts";
import { serverLimits } from "../../src/store/http/server-limits.ts";
import { storeRoutes } from "../../src/store/http/store-routes.ts";
import type { LightningStore } from "../../src/store/lightning-store.ts";
import type { RolloutQueue } from "../../src/store/rollout-queue.ts";
import { BadValueError, UnknownIdError } from "../../src/store/store-errors.ts";
import { expectClearText } from "./fuzz.ts";

export interface Sent {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export const bodyBytes = 100_000;

/** What a server of a store does with a request, without the network: ten times as many cases. */
export class Answering {
  readonly #router: Router;

  constructor(store: RolloutQueue & LightningStore) {
    const logger = { debug() {}, info() {}, warning() {}, error() {} };
    const limits = serverLimits.parse({ bodyBytes });
    this.#router = new Router(storeRoutes({ store, metrics: new Metrics(), logger, limits }));
  }

  /** @throws where a request is neither taken nor refused with what is wrong. */
  async expectAnswer({ method, path, headers = {}, body }: Sent): Promise<void> {
    const [place = "", ...search] = path.split("?");
    const found = this.#router.find(method, place);
    if (found === undefined || !("route" in found)) return;
    const { route, params } = found;
    const request = Object.assign(Readable.from(body === undefined ? [] : [Buffer.from(body)]), { headers });
    try {
      const bytes = await readBody(request as unknown as IncomingMessage, bodyBytes);
      const given = route.takes === "json" ? jsonOf(request as unknown as IncomingMessage, bytes) : bytes;
      const call = { params, search: search.join("?"), headers, body: given, signal: () => AbortSignal.timeout(1000) };
      const reply = await route.run(call);
      if (reply instanceof Lines) for await (const _ of reply.lines);
      else JSON.stringify(reply);
    } catch (error) {
      expectRefusal(error);
    }
  }
}

function expectRefusal(error: unknown): void {
  if (error instanceof HttpError && error.status < 500) expectClearText(JSON.stringify(error.detail));
  else if (error instanceof UnknownIdError || error instanceof BadValueError) expectClearText(error.message);
  else throw error;
}
