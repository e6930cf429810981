import type { Dialect } from "./dialect.ts";
import type { Operation } from "./operation.ts";

/** How an operation may share a transaction with others that are asked for at the same time. */
export interface Shared {
  /** Comes before all of them, once. */
  readonly before?: () => Operation<void>;
  /** What it reads and then writes: those of one name run one after the other. */
  readonly touches?: string;
}

/** Runs operations against one database. */
export interface Engine extends AsyncDisposable {
  readonly dialect: Dialect;
  /** What messages call the store. */
  readonly name: string;
  /**
   * Runs an operation whole or not at all; what it did is on disk when this resolves. Where the database asks for it, it is run
   * again from the beginning.
   * @throws {OutageError} where the database went away.
   * @param shared Lets it share a transaction; it is run as if it were alone all the same, and its error is its own.
   */
  write<Result>(operation: () => Operation<Result>, shared?: Shared): Promise<Result>;
  /** As {@link write}, for operations that only read. */
  read<Result>(operation: () => Operation<Result>): Promise<Result>;
  /** How much the store takes on disk. */
  bytes(): Promise<number>;
  /** Gives the space of what was deleted back. */
  vacuum(): Promise<void>;
}
