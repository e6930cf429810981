import type { Usage } from "./policy.ts";

/** A driver's result together with what it used. */
export class Metered {
  readonly result: unknown;
  readonly usage: Usage;

  constructor(result: unknown, usage: Usage) {
    this.result = result;
    this.usage = usage;
    Object.freeze(this);
  }
}

/** What an operation of a driver returns to say what it used, e.g. the tokens of a remote model; budgets count it. */
export function metered(result: unknown, usage: Usage): Metered {
  return new Metered(result, usage);
}
