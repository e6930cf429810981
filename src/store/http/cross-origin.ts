import { HttpError } from "./http-error.ts";

/** What browsers are told, and what pages of elsewhere may not do. */
export class CrossOrigin {
  readonly #origins: ReadonlySet<string>;

  /** @param origins Such as `https://example.org`, or `*` for all, then without credentials. */
  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  /** Headers of every answer to a page. */
  headers(origin: string | undefined): Readonly<Record<string, string>> {
    if (origin === undefined || this.#origins.size === 0) return none;
    if (this.#origins.has(origin)) {
      return { "Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true", Vary: "Origin" };
    }
    return this.#origins.has("*") ? { "Access-Control-Allow-Origin": "*" } : { Vary: "Origin" };
  }

  /** Headers of the answer to a page that asks whether it may; `undefined` where it may not. */
  preflight(origin: string | undefined, requestedHeaders: string | undefined) {
    if (!this.#allows(origin)) return undefined;
    return {
      ...this.headers(origin),
      "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
      "Access-Control-Allow-Headers": requestedHeaders ?? "authorization, content-type, content-encoding",
      "Access-Control-Max-Age": "600",
    };
  }

  /** @throws {HttpError} 403 where a page of another origin would change something: browsers send that without asking first. */
  refuseForeign(origin: string | undefined, host: string | undefined): void {
    if (origin === undefined || this.#allows(origin) || hostOf(origin) === host) return;
    throw new HttpError(403, `pages of ${origin} may not do this; serve with --cors-origin ${origin} to allow them`);
  }

  #allows(origin: string | undefined): boolean {
    return origin !== undefined && (this.#origins.has(origin) || this.#origins.has("*"));
  }
}

const none = {};

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
