import type { Violation } from "../../../core/syscall.ts";

/**
 * Everything that SQL can do to a database or its connection: a closed list. `CREATE`, `DROP` and `ALTER` are schema
 * changes of every kind; `TRANSACTION` is all transaction control, savepoints included; `GRANT` is rights management,
 * which SQLite lacks but agents try.
 */
export const sqlEffects = [
  "SELECT",
  "INSERT",
  "UPDATE",
  "DELETE",
  "CREATE",
  "DROP",
  "ALTER",
  "PRAGMA",
  "ATTACH",
  "TRANSACTION",
  "VACUUM",
  "REINDEX",
  "ANALYZE",
  "EXTENSION",
  "GRANT",
] as const;
export type SqlEffect = (typeof sqlEffects)[number];

/** Bounds of one text. All are counted, none is timed, so the same text stops at the same place every time. */
export interface SqlLimits {
  /** Rows inserted, updated and deleted, triggers and cascades included. */
  readonly rowsChanged: number;
  readonly rowsReturned: number;
  /** Steps of SQLite's virtual machine. */
  readonly vmSteps: number;
  /** Length of the text in UTF-8. */
  readonly sqlBytes: number;
  /** Length of any one string, blob or row. */
  readonly valueBytes: number;
  /** Sum of the strings and blobs that a text returns. */
  readonly resultBytes: number;
  /** Working memory, and growth of the database. */
  readonly memoryBytes: number;
}

export type SqlLimit = keyof SqlLimits;

/**
 * What the driver asks while it runs a text. Names are lower case; `null` means permitted. Answers to what a statement
 * does are frozen and made once, so that asking allocates nothing.
 */
export interface SqlRules {
  /** `true` where the rules only watch: what they answer is not blocked, and their limits stop nothing. */
  readonly shadow?: boolean;
  readonly limits: SqlLimits;
  /** An effect on a table, or on whatever object a schema change names; empty where there is none. */
  effect(effect: SqlEffect, table: string): Violation | null;
  /** Reading a column; `column` is empty where only the existence of rows is read. */
  read(table: string, column: string): Violation | null;
  /** Reading the storage beneath the tables: raw pages, shadow tables, the engine's own tables. */
  readRaw(table: string): Violation | null;
  pragma(name: string): Violation | null;
  /**
   * An effect that the text asked for although it cannot have it. `subject` is the table or pragma that it names, or empty; `exists` says whether
   * there is such a table: what a missing one is asked for is mostly a mistake.
   */
  attempt(effect: SqlEffect, subject: string, exists: boolean): Violation | null;
  /** A write to a table that the engine keeps for itself, which it refused. */
  tamper(table: string): Violation | null;
  exceeded(limit: SqlLimit): Violation;
}
