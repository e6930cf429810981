import type pg from "pg";
import { postgresPlace } from "../postgres-place.ts";
import type { Engine, Shared } from "../sql/engine.ts";
import type { Operation } from "../sql/operation.ts";
import { drive } from "./answer.ts";
import { connect, connectPipelined, hangUpLate } from "./connect.ts";
import { codeOf, passing } from "./error-code.ts";
import { asOutage } from "./outage-codes.ts";
import { SharedTransactions } from "./shared-transactions.ts";

const triesMax = 8;

/** Runs operations that may share a transaction together, and each of the others in one of its own, several at a time. */
export class PostgresEngine implements Engine {
  readonly dialect = "postgres";
  readonly name: string;
  readonly #pool: pg.Pool;
  readonly #shared: SharedTransactions;
  #ended = false;

  /** @throws {InputError} where no store can be. */
  static async open(url: string, options: { readonly mustExist: boolean }): Promise<PostgresEngine> {
    const place = postgresPlace(url);
    return new PostgresEngine(place.name, await connect(place, options), connectPipelined(place));
  }

  constructor(name: string, pool: pg.Pool, pipelined: pg.Pool) {
    this.name = name;
    this.#pool = pool;
    this.#shared = new SharedTransactions(pipelined, (operation) => this.#transact(operation, "BEGIN"));
  }

  write<Result>(operation: () => Operation<Result>, shared?: Shared): Promise<Result> {
    return shared === undefined ? this.#transact(operation, "BEGIN") : this.#shared.run(operation, shared);
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
    using _late = hangUpLate(this.#pool);
    await this.#shared[Symbol.asyncDispose]();
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
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw asOutage(error, false);
    });
    let broken: Error | undefined;
    let mayBeDone = false;
    try {
      await client.query(begin);
      const result = await drive(client, operation());
      mayBeDone = true;
      await client.query("COMMIT");
      return result;
    } catch (error) {
      await client.query("ROLLBACK").catch((also: Error) => {
        broken = also;
      });
      throw asOutage(error, mayBeDone);
    } finally {
      client.release(broken);
    }
  }
}
