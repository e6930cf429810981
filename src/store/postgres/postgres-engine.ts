import type pg from "pg";
import { postgresPlace } from "../postgres-place.ts";
import type { Engine } from "../sql/engine.ts";
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

  write<Result>(operation: () => Operation<Result>): Promise<Result> {
    return this.#transact(operation, "BEGIN");
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

  async #insert(client: pg.PoolClient, insert: Insert): Promise<Answer> {
    const { rows, columns, returning = [] } = insert;
    const known = returning.every((column) => columns.includes(column));
    if (rows.length >= copyRowsMin && known && (await this.#copied(client, insert))) {
      const places = returning.map((column) => [column, columns.indexOf(column)] as const);
      const back = rows.map((row) => Object.fromEntries(places.map(([column, at]) => [column, row[at]])));
      return { rows: back, changes: rows.length, fresh: rows.map(() => true) };
    }
    if (insert.tell !== true) return await this.#insertMany(client, insert);
    const answer = await this.#insertMany(client, { ...insert, returning: insert.unless ?? [] });
    return { ...answer, fresh: freshOf(insert, answer.rows) };
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
    const { rows, columns } = insert;
    const chunkMax = Math.floor(parametersMax / columns.length);
    const back: Answer["rows"][number][] = [];
    let changes = 0;
    for (let start = 0; start < rows.length; start += chunkMax) {
      const chunk = rows.slice(start, start + chunkMax);
      let place = 0;
      const tuples = chunk.map(() => `(${columns.map(() => `$${++place}`).join(", ")})`).join(", ");
      const values = chunk.flat().map((value) => (typeof value === "string" ? escaped(value) : value));
      const { rows: given, rowCount } = await client.query({ text: insertText(insert, tuples), values });
      back.push(...given);
      changes += rowCount ?? 0;
    }
    return { rows: back, changes };
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

/** Which rows are among those that were inserted; of several with one key, the first. */
function freshOf({ columns, rows, unless = [] }: Insert, inserted: Answer["rows"]): readonly boolean[] {
  const keys = new Set(inserted.map((row) => JSON.stringify(unless.map((column) => row[column]))));
  const places = unless.map((column) => columns.indexOf(column));
  return rows.map((row) => keys.delete(JSON.stringify(places.map((place) => row[place]))));
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
