import { FaradayError } from "../core/errors.ts";

/**
 * Waits for a promise, but no longer than so many milliseconds.
 * @throws {FaradayError} with the message, once they are over.
 */
export async function withinDeadline<T>(promise: Promise<T>, milliseconds: number, message: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new FaradayError(message)), milliseconds);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
