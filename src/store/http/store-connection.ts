import { setTimeout as sleep } from "node:timers/promises";
import { FaradayError, InputError, messageOf } from "../../core/errors.ts";
import { BadValueError, UnknownIdError } from "../store-errors.ts";
import { againHeader } from "./run-methods.ts";

/** The store gave no answer: it cannot be reached, or is not well. What was asked for may have been done. */
export class UnreachableError extends FaradayError {}

export interface ConnectionOptions {
  readonly token?: string | undefined;
  /** Pauses before each further try. */
  readonly retryMs?: readonly number[];
  /** Of one try, to its answer's end. */
  readonly timeoutMs?: number;
}

export interface StoreRequest {
  readonly method?: "GET" | "POST";
  readonly path: string;
  /** JSON text. */
  readonly body?: string | undefined;
  /** Whether it does no harm to do it twice; others are tried again only where they did not arrive. */
  readonly repeatable: boolean;
  /** It was sent before, maybe in vain. */
  readonly again?: boolean;
  readonly timeoutMs?: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Requests to a server, tried again for a while where there is no answer. */
export class StoreConnection {
  /** Without a name and password. */
  readonly url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #retryMs: readonly number[];
  readonly #timeoutMs: number;
  #closed = false;

  constructor(url: string, { token, retryMs = [100, 400, 1000], timeoutMs = 60_000 }: ConnectionOptions = {}) {
    const { origin, username, password } = new URL(url);
    this.url = origin;
    const given = token ?? decodeURIComponent(password === "" ? username : password);
    this.#headers = given === "" ? {} : { authorization: `Bearer ${given}` };
    this.#retryMs = retryMs;
    this.#timeoutMs = timeoutMs;
  }

  /** Nothing is asked any more. */
  close(): void {
    this.#closed = true;
  }

  /**
   * @returns The text of the answer.
   * @throws {UnreachableError} after the last try; {@link UnknownIdError}, {@link BadValueError} or another FaradayError for what the
   * server refuses.
   */
  async ask(request: StoreRequest): Promise<string> {
    return await (await this.open(request)).text();
  }

  /** As {@link ask}, for an answer that is read as it comes. */
  async open(request: StoreRequest): Promise<Response> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.#try(request, tries > 0);
      } catch (error) {
        const pause = this.#retryMs[tries];
        const inVain = error instanceof UnreachableError && (request.repeatable || neverArrived(error));
        if (!inVain || pause === undefined || request.signal?.aborted === true) throw error;
        await sleep(pause);
      }
    }
  }

  async #try(request: StoreRequest, retried: boolean): Promise<Response> {
    if (this.#closed) throw new FaradayError(`the store at ${this.url} is closed`);
    const { path, body, method = body === undefined ? "GET" : "POST", again = false, signal } = request;
    const limit = AbortSignal.timeout(request.timeoutMs ?? this.#timeoutMs);
    let answer: Response;
    try {
      answer = await fetch(this.url + path, {
        method,
        headers: {
          ...this.#headers,
          ...request.headers,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(again || retried ? { [againHeader]: "1" } : {}),
        },
        ...(body === undefined ? {} : { body }),
        signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
      });
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw new UnreachableError(`the store at ${this.url} cannot be reached: ${causeOf(error)}`, { cause: error });
    }
    if (!answer.ok) throw refusal(this.url, answer.status, await detailOf(answer));
    return answer;
  }
}

function refusal(url: string, status: number, detail: string): FaradayError {
  const message = `the store at ${url} says: ${detail}`;
  if (status === 404) return new UnknownIdError(detail);
  if (status === 400 || status === 422) return new BadValueError(detail);
  if (status === 401 || status === 403) {
    return new InputError(`${message}; name the token in FARADAY_STORE_TOKEN or FARADAY_STORE_TOKEN_FILE`);
  }
  return status >= 500 || status === 408 || status === 429 ? new UnreachableError(message) : new FaradayError(detail);
}

async function detailOf(answer: Response): Promise<string> {
  const text = await answer.text().catch(() => "");
  try {
    const { detail } = JSON.parse(text);
    return typeof detail === "string" ? detail : JSON.stringify(detail);
  } catch {
    return `status ${answer.status}`;
  }
}

function causeOf(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
}

/** Whether there was nobody to take the request. */
function neverArrived({ cause }: UnreachableError): boolean {
  const { code } = (cause instanceof Error ? (cause.cause ?? {}) : {}) as { readonly code?: string };
  return code === "ECONNREFUSED" || code === "UND_ERR_CONNECT_TIMEOUT" || code === "ENOTFOUND" || code === "EAI_AGAIN";
}
