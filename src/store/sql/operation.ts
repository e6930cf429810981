import type { Compilable } from "kysely";
import type { Dialect } from "./dialect.ts";
import { type BoundStatement, compileOnce, type Maker, type Statement, type Value } from "./statement.ts";
import type { Tables } from "./tables.ts";

/**
 * What a store does in one transaction, written once for both databases: it yields what it asks of the database and is given the
 * answers. node:sqlite answers at once, and waiting for a promise at each of a dozen statements would cost more than they do; PostgreSQL
 * answers when it can.
 */
export type Operation<Result> = Generator<Ask, Result, Answer>;

export type Ask =
  | { readonly kind: "statement"; readonly bind: (dialect: Dialect) => BoundStatement }
  | ({ readonly kind: "insert" } & Insert);

export interface Answer {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** How many rows were inserted, updated or deleted. */
  readonly changes: number;
  /** Of an insert that asks for it: the key of each row that was new, `null` for the others. */
  readonly keys?: readonly (number | null)[];
  /** Of an insert that asks for it: whether each row was new. */
  readonly fresh?: readonly boolean[];
}

/** Many rows of one table at once. */
export interface Insert {
  readonly table: keyof Tables;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Value[])[];
  /** Columns of the key by which rows that are there already are passed over; without it they are an error. */
  readonly unless?: readonly string[];
  /** What the answer tells of each row. */
  readonly tell?: "keys" | "fresh";
}

/** All rows that a statement gives. */
export function* rowsOf<Given, Row>(statement: Statement<Given, Row>, given: Given): Operation<readonly Row[]> {
  const { rows } = yield { kind: "statement", bind: (dialect) => statement.bind(dialect, given) };
  // The tables are strict, and only this program writes them: what they hold has these types.
  return rows as readonly Row[];
}

export function* firstOf<Given, Row>(statement: Statement<Given, Row>, given: Given): Operation<Row | undefined> {
  return (yield* rowsOf(statement, given))[0];
}

/** @returns How many rows it changed. */
export function* change<Given>(statement: Statement<Given, unknown>, given: Given): Operation<number> {
  const { changes } = yield { kind: "statement", bind: (dialect) => statement.bind(dialect, given) };
  return changes;
}

/** A statement whose form depends on what is asked for. */
export function* rowsOnce<Row>(
  make: (maker: Omit<Maker<never>, "given">) => Compilable<Row>,
): Operation<readonly Row[]> {
  const { rows } = yield { kind: "statement", bind: (dialect) => compileOnce(dialect, make) };
  return rows as readonly Row[];
}

export function* insertRows(insert: Insert): Operation<Answer> {
  if (insert.rows.length === 0) return { rows: [], changes: 0 };
  return yield { kind: "insert", ...insert };
}

/** The key of each row that was new; `null` for one that was there already. */
export function* insertForKeys(insert: Insert): Operation<readonly (number | null)[]> {
  return (yield* insertRows({ ...insert, tell: "keys" })).keys ?? [];
}

/** Whether each row was new. */
export function* insertFresh(insert: Insert): Operation<readonly boolean[]> {
  return (yield* insertRows({ ...insert, tell: "fresh" })).fresh ?? [];
}

/** The text of an insert of so many rows. */
export function insertText({ table, columns, unless }: Omit<Insert, "rows">, tuples: string, returning = ""): string {
  const conflict = unless === undefined ? "" : ` ON CONFLICT (${unless.join(", ")}) DO NOTHING`;
  return `INSERT INTO ${table} (${columns.join(", ")}) VALUES ${tuples}${conflict}${returning}`;
}
