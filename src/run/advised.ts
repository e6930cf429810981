import { FaradayError, InputError, messageOf } from "../core/errors.ts";
import { adviceOn } from "../core/fault.ts";

/**
 * An error of the machine or the store as its user is to be told of it: with what to do about it, and what then.
 * @param next Such as `begin the run again`.
 * @returns Any other error as it is.
 */
export function advised(error: unknown, next: string): unknown {
  const advice = adviceOn(error);
  if (advice === null) return error;
  const message = `${messageOf(error)}: ${advice}, then ${next}`;
  return error instanceof InputError
    ? new InputError(message, { cause: error })
    : new FaradayError(message, { cause: error });
}

export function goOn(path: string): string {
  return `go on with faraday train --resume ${path}`;
}
