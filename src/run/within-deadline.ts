import { FaradayError } from "../core/errors.ts";

/**
 * Waits for a promise, but no longer than so many milliseconds.
 * @throws {FaradayError} with the message, once they are over.
 */
export async function withinDeadline<T>(
  promise: Promise<T>,
  milliseconds: number,
  message: string,
  { advice = null }: { readonly advice?: string | null } = {},
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new FaradayError(message, { advice })), milliseconds);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits for a store to do something, but no longer than `deadlines.storeMs`.
 * @param what What it is to do, such as `taken a batch`.
 * @throws {FaradayError} where it has not answered by then, and the store's own.
 */
export function withinStoreDeadline<T>(
  answer: Promise<T>,
  { storeMs }: { readonly storeMs: number },
  what: string,
): Promise<T> {
  const message = `the store has not ${what} within ${storeMs} ms (deadlines.storeMs)`;
  return withinDeadline(answer, storeMs, message, { advice: "see that it answers" });
}

/** The same for what a store tells piece by piece: each of them has so long. */
export async function* eachWithinStoreDeadline<T>(
  pieces: AsyncIterable<T>,
  deadlines: { readonly storeMs: number },
  what: string,
): AsyncGenerator<T> {
  const iterator = pieces[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await withinStoreDeadline(iterator.next(), deadlines, what);
      if (done) return;
      yield value;
    }
  } finally {
    // One that does not answer would not end either.
    iterator.return?.().catch(() => {});
  }
}

/** The same for opening a store; one that opens after that is closed again. */
export async function openWithinStoreDeadline<Store extends AsyncDisposable>(
  opening: Promise<Store>,
  deadlines: { readonly storeMs: number },
): Promise<Store> {
  try {
    return await withinStoreDeadline(opening, deadlines, "opened");
  } catch (error) {
    opening.then((store) => store[Symbol.asyncDispose]()).catch(() => {});
    throw error;
  }
}
