import { setImmediate } from "node:timers";

/** Long work that can be done at once, or a step at a time: it yields where a thread may do other things in between. */
export type Steps<Result> = Generator<void, Result, void>;

/** Does all of it now. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Does each step but the first in a turn of the event loop of its own. Work of one step waits for none. */
export async function inTurns<Result>(steps: Steps<Result>): Promise<Result> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await ownTurn();
  }
}

const waiting: (() => void)[] = [];

/**
 * A turn of the event loop that nobody else has who asks for one: several long works at a time make no longer turns than one does. Messages and timers that
 * are due come before it.
 */
export function ownTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(takeTurn);
  });
}

function takeTurn(): void {
  const [next] = waiting;
  if (waiting.length > 1) setImmediate(takeTurn);
  waiting.shift();
  next?.();
}
