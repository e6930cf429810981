import type { Dialect } from "./dialect.ts";
import type { Operation } from "./operation.ts";

/** Runs operations against one database. */
export interface Engine extends AsyncDisposable {
  readonly dialect: Dialect;
  /** What messages call the store. */
  readonly name: string;
  /**
   * Runs an operation whole or not at all; what it did is on disk when this resolves. Where the database asks for it, it is run
   * again from the beginning.
   */
  write<Result>(operation: () => Operation<Result>): Promise<Result>;
  /** As {@link write}, for operations that only read. */
  read<Result>(operation: () => Operation<Result>): Promise<Result>;
  /** How much the store takes on disk. */
  bytes(): Promise<number>;
  /** Gives the space of what was deleted back. */
  vacuum(): Promise<void>;
}
