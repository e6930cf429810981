import type pg from "pg";
import { postgresPlace } from "../postgres-place.ts";
import type { Engine, Shared } from "../sql/engine.ts";
import { type Answer, type Ask, type Insert, insertText, type Operation } from "../sql/operation.ts";
import type { Value } from "../sql/statement.ts";
import { connect } from "./connect.ts";
import { copyRows } from "./copy-rows.ts";
import { escaped } from "./nul-text.ts";

/** https://www.postgresql.org/docs/15/errcodes-appendix.html */
const uniqueViolation = "23505";
/** Of two transactions that cannot both be, one is to be tried again: serialization_failure, deadlock_detected. */
const passing: readonly unknown[] = ["40001", "40P01"];
const triesMax = 8;

/** From so many rows on, COPY is faster. */
const copyRowsMin = 100;
const parametersMax = 30_000;

/** Runs each operation in a transaction of its own, several at a time. */
export class PostgresEngine implements Engine {
  readonly dialect = "postgres";
  readonly name: string;
  readonly #pool: pg.Pool;
  readonly #names = new Map<string, string>();
  #ended = false;

  /** @throws {InputError} where no store can be. */
  static async open(url: string, options: { readonly mustExist: boolean }): Promise<PostgresEngine> {
    const place = postgresPlace(url);
    return new PostgresEngine(place.name, await connect(place, options));
  }

  constructor(name: string, pool: pg.Pool) {
    this.name = name;
    this.#pool = pool;
  }

  write<Result>(operation: () => Operation<Result>, { before }: Shared = {}): Promise<Result> {
    const all = function* () {
      if (before !== undefined) yield* before();
      return yield* operation();
    };
    return this.#transact(all, "BEGIN");
  }

  read<Result>(operation: () => Operation<Result>): Promise<Result> {
    return this.#transact(operation, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  }

  async bytes(): Promise<number> {
    const { rows } = await this.#pool.query(
      "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) AS bytes FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace",
    );
    return Number(rows[0]?.bytes ?? 0);
  }

  async vacuum(): Promise<void> {
    const { rows } = await this.#pool.query(
      "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace",
    );
    for (const { name } of rows) await this.#pool.query(`VACUUM (FULL, ANALYZE) ${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#pool.end();
  }

  async #transact<Result>(operation: () => Operation<Result>, begin: string): Promise<Result> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#attempt(operation, begin);
      } catch (error) {
        if (tries >= triesMax || !passing.includes(codeOf(error))) throw error;
      }
    }
  }

  async #attempt<Result>(operation: () => Operation<Result>, begin: string): Promise<Result> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    try {
      await client.query(begin);
      const result = await this.#drive(client, operation());
      await client.query("COMMIT");
      return result;
    } catch (error) {
      await client.query("ROLLBACK").catch((also: Error) => {
        broken = also;
      });
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async #drive<Result>(client: pg.PoolClient, operation: Operation<Result>): Promise<Result> {
    let step = operation.next();
    while (step.done !== true) step = operation.next(await this.#answer(client, step.value));
    return step.value;
  }

  async #answer(client: pg.PoolClient, ask: Ask): Promise<Answer> {
    if (ask.kind === "insert") return await this.#insert(client, ask);
    const { sql, values } = ask.bind("postgres");
    return await this.#query(client, sql, values);
  }

  async #query(client: pg.PoolClient, text: string, values: readonly Value[]): Promise<Answer> {
    const bound = values.map((value) => (typeof value === "string" ? escaped(value) : value));
    const { rows, rowCount } = await client.query({ name: this.#nameOf(text), text, values: bound });
    return { rows, changes: rowCount ?? 0 };
  }

  /** COPY tells no keys; whether rows were new at all, it does. */
  async #insert(client: pg.PoolClient, insert: Insert): Promise<Answer> {
    const { rows, tell } = insert;
    if (tell !== "keys" && rows.length >= copyRowsMin && (await this.#copied(client, insert))) {
      return { rows: [], changes: rows.length, fresh: rows.map(() => true) };
    }
    return await this.#insertMany(client, insert);
  }

  /** Nothing was inserted where a row was there already. */
  async #copied(client: pg.PoolClient, insert: Insert): Promise<boolean> {
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

  async #insertMany(client: pg.PoolClient, insert: Insert): Promise<Answer> {
    const { rows, columns, unless = [], tell } = insert;
    const chunkMax = Math.floor(parametersMax / columns.length);
    const returning = tell !== undefined ? ` RETURNING ${["key", ...unless].join(", ")}` : "";
    const back: Answer["rows"][number][] = [];
    let changes = 0;
    for (let start = 0; start < rows.length; start += chunkMax) {
      const chunk = rows.slice(start, start + chunkMax);
      let place = 0;
      const tuples = chunk.map(() => `(${columns.map(() => `$${++place}`).join(", ")})`).join(", ");
      const values = chunk.flat().map((value) => (typeof value === "string" ? escaped(value) : value));
      const { rows: given, rowCount } = await client.query({ text: insertText(insert, tuples, returning), values });
      back.push(...given);
      changes += rowCount ?? 0;
    }
    if (tell === undefined) return { rows: [], changes };
    const keys = keysOf(insert, back);
    return { rows: [], changes, keys, fresh: keys.map((key) => key !== null) };
  }

  /** Prepared once a connection. */
  #nameOf(text: string): string {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    const name = `s${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }
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

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
