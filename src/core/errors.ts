/** What an expected failure tells the user. Anything else that reaches the command line is a bug of ours. */
export class FaradayError extends Error {
  /** 1: the work failed. 2: bad usage, config or input. */
  readonly exitCode: 1 | 2;
  /** What to do about the machine, where the error came from another thread and its cause did not; see `adviceOn`. */
  readonly advice: string | null;

  constructor(message: string, options: { exitCode?: 1 | 2; cause?: unknown; advice?: string | null } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "FaradayError";
    this.exitCode = options.exitCode ?? 1;
    this.advice = options.advice ?? null;
  }
}

/** Bad usage, config or input file: says what was expected, what came, and where. */
export class InputError extends FaradayError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, { ...options, exitCode: 2 });
    this.name = "InputError";
  }
}

/** The message of anything that was thrown. Never throws itself, whatever it is given. */
export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return "an error that has no text";
  }
}
