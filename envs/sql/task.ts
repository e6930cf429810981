import type { Task } from "../../src/core/env.ts";

/** A request to the shop's (or any) database and its gold answer. */
export interface SqlTask extends Task {
  /** The gold answer. */
  readonly sql: string;
  /** What sort of request it is, e.g. `counting`; figures are given by it. */
  readonly kind: string;
}
