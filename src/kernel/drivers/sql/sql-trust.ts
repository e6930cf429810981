import type { ResultSet } from "../../../core/sql.ts";

/**
 * Trusted sight of one session's database for the oracle: its bytes and worlds of its own to try things in.
 * Neither the authorizer nor the hooks that judge agents are involved.
 */
export interface SqlTrust {
  /** The database file as it was when the session opened. */
  readonly pristine: Uint8Array;
  /** Changes when, and only when, the bytes of the database may have changed. */
  version(): number;
  /** A copy of the database file as it is now. */
  snapshot(): Uint8Array;
  /** Whether a transaction is open between syscalls. */
  inTransaction(): boolean;
  /** Rows of a trusted query on the session's own connection, for what no file shows. It must change nothing. */
  look(sql: string): ResultSet;
  /** Another world, for trusted SQL; the caller disposes of it. */
  twin(): SqlTwin;
}

/** A world to try things in: ungoverned, separate from every session. */
export interface SqlTwin extends Disposable {
  /** Makes the world this file. */
  load(file: Uint8Array): void;
  /** A copy of its file as it is now. */
  snapshot(): Uint8Array;
  /** Trusted SQL, any number of statements. */
  exec(sql: string): void;
  /** Rows of the last statement that returned any. Stops, with an error, after a bounded number of steps. */
  query(sql: string): ResultSet;
  /** Turns triggers and constraint checks on or off while the world is prepared. */
  enforce(on: boolean): void;
}
