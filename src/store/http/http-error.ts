/** A request that is refused: its status, and what its `detail` says. */
export class HttpError extends Error {
  readonly status: number;
  /** Text, or what FastAPI makes of a body that is not as expected: a list of problems. */
  readonly detail: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, detail: unknown, headers: Readonly<Record<string, string>> = {}) {
    super(typeof detail === "string" ? detail : `status ${status}`);
    this.name = "HttpError";
    this.status = status;
    this.detail = detail;
    this.headers = headers;
  }
}
