import type pg from "pg";
import { type Answer, type Ask, type Insert, insertText, type Operation } from "../sql/operation.ts";
import type { BoundStatement, Value } from "../sql/statement.ts";
import { copyRows } from "./copy-rows.ts";
import { codeOf, uniqueViolation } from "./error-code.ts";
import { escaped } from "./nul-text.ts";

/** From so many rows on, COPY is faster. */
export const copyRowsMin = 100;
const parametersMax = 30_000;

/** What is asked of PostgreSQL: SQL with its values, or rows. */
export type Bound = BoundStatement | Insert;

export function boundOf(ask: Ask): Bound {
  return ask.kind === "insert" ? ask : ask.bind("postgres");
}

/** Runs an operation to its end. */
export async function drive<Result>(client: pg.PoolClient, operation: Operation<Result>): Promise<Result> {
  let step = operation.next();
  while (step.done !== true) step = operation.next(await answer(client, boundOf(step.value)));
  return step.value;
}

/** COPY tells no keys; whether rows were new at all, it does. Nor can it be sent before what was sent last is answered. */
export async function answer(client: pg.Client, bound: Bound): Promise<Answer> {
  if (!("table" in bound)) return await query(client, bound.sql, bound.values);
  const { rows, tell } = bound;
  const copies = tell !== "keys" && rows.length >= copyRowsMin && !client.pipeline;
  if (copies && (await copied(client, bound))) {
    return { rows: [], changes: rows.length, fresh: rows.map(() => true) };
  }
  return await insertMany(client, bound);
}

const names = new Map<string, string>();

/** Prepared once a connection. */
function nameOf(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = `s${names.size}`;
  names.set(text, name);
  return name;
}

async function query(client: pg.Client, text: string, values: readonly Value[]): Promise<Answer> {
  const { rows, rowCount } = await client.query({ name: nameOf(text), text, values: values.map(plain) });
  return { rows, changes: rowCount ?? 0 };
}

function plain(value: Value): Value {
  return typeof value === "string" ? escaped(value) : value;
}

/** Nothing was inserted where a row was there already. */
async function copied(client: pg.Client, insert: Insert): Promise<boolean> {
  await client.query("SAVEPOINT copy");
  try {
    await copyRows(client, insert);
    await client.query("RELEASE copy");
    return true;
  } catch (error) {
    if (insert.unless === undefined || codeOf(error) !== uniqueViolation) throw error;
    await client.query("ROLLBACK TO copy");
    return false;
  }
}

async function insertMany(client: pg.Client, insert: Insert): Promise<Answer> {
  const { rows, columns, unless = [], tell } = insert;
  const chunkMax = Math.floor(parametersMax / columns.length);
  const returning = tell !== undefined ? ` RETURNING ${["key", ...unless].join(", ")}` : "";
  const back: Answer["rows"][number][] = [];
  let changes = 0;
  for (let start = 0; start < rows.length; start += chunkMax) {
    const chunk = rows.slice(start, start + chunkMax);
    let place = 0;
    const tuples = chunk.map(() => `(${columns.map(() => `$${++place}`).join(", ")})`).join(", ");
    const text = insertText(insert, tuples, returning);
    const values = chunk.flat().map(plain);
    // One row is asked for again and again; so many rows as these perhaps never.
    const { rows: given, rowCount } = await client.query(
      chunk.length === 1 ? { name: nameOf(text), text, values } : { text, values },
    );
    for (const row of given) back.push(row);
    changes += rowCount ?? 0;
  }
  if (tell === undefined) return { rows: [], changes };
  const keys = keysOf(insert, back);
  return { rows: [], changes, keys, fresh: keys.map((key) => key !== null) };
}

/** The keys of the rows that were inserted; of several with one name, the first has it. */
function keysOf({ columns, rows, unless = [] }: Insert, inserted: Answer["rows"]): readonly (number | null)[] {
  const keys = new Map(inserted.map(({ key, ...row }) => [JSON.stringify(unless.map((column) => row[column])), key]));
  const places = unless.map((column) => columns.indexOf(column));
  return rows.map((row) => {
    const name = JSON.stringify(places.map((place) => wellFormed(row[place])));
    const key = keys.get(name);
    keys.delete(name);
    return typeof key === "number" ? key : null;
  });
}

/** As a database keeps it. */
function wellFormed(value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed() : value;
}
