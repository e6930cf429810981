import { deriveSeed } from "../../../core/random.ts";
import type { ResultSet, SqlWorld } from "../../../core/sql.ts";
import type { SqlDriverSpec } from "../../kernel-options.ts";
import { configOption } from "./sql-codes.ts";
import { SqlConnection } from "./sql-connection.ts";
import { SqlDigest } from "./sql-digest.ts";
import { loadSqlEngine, type SqlEngine } from "./sql-engine.ts";
import { readSchema, type SqlSchema } from "./sql-schema.ts";
import { type ConnectionState, dropKept, type PooledConnection, SqlSession } from "./sql-session.ts";
import { readSqlDatabase } from "./sql-source.ts";
import type { SqlTrust } from "./sql-trust.ts";
import { createTwin } from "./sql-twin.ts";

const rehearsedMax = 20_000;
const poolMax = 512;
const randomStream = 0x5e1;

/** The `sql` driver: one pristine database file, and a connection of its own for every open session. */
export class SqlDatabase implements Disposable {
  readonly #engine: SqlEngine;
  readonly #file: Uint8Array;
  readonly #schema: SqlSchema;
  readonly #digest: SqlDigest;
  /** For trusted rehearsals; stands on the pristine file between them. */
  readonly #rehearsal: SqlConnection;
  readonly #rehearsed = new Map<string, { readonly result: ResultSet; readonly digest: string } | Error>();
  readonly #pool: PooledConnection[] = [];

  /** @throws {InputError} when the database cannot be read or used. */
  static async load(spec: SqlDriverSpec): Promise<SqlDatabase> {
    return new SqlDatabase(await loadSqlEngine(), await readSqlDatabase(spec));
  }

  private constructor(engine: SqlEngine, file: Uint8Array) {
    this.#engine = engine;
    this.#file = file;
    this.#rehearsal = new SqlConnection(engine, file);
    // Gold answers are the user's own, tried where a string in double quotes is one: most builds of SQLite take it.
    this.#rehearsal.set(configOption.quotedStrings, true);
    this.#schema = readSchema(this.#rehearsal);
    this.#digest = new SqlDigest(this.#rehearsal, file);
  }

  /** A session on the pristine database; what it does is its own. */
  open(options: { readonly seed: number }): SqlSession {
    const pooled = this.#pool.pop() ?? this.#connect();
    return new SqlSession({
      engine: this.#engine,
      pooled,
      schema: this.#schema,
      seed: deriveSeed(options.seed, randomStream),
      trustOf: (session) => ({ world: this.#worldOf(session), trust: this.#trustOf(session) }),
      release: (state) => this.#release(pooled, state),
    });
  }

  [Symbol.dispose](): void {
    for (const pooled of this.#pool.splice(0)) this.#dispose(pooled);
    this.#rehearsal[Symbol.dispose]();
  }

  #connect(): PooledConnection {
    const connection = new SqlConnection(this.#engine, this.#file);
    // Virtual tables read their own storage when they are first used: not while an agent's text compiles.
    if (this.#schema.virtuals.size > 0) connection.run("PRAGMA table_list");
    connection.observe();
    return { connection, kept: new Map(), seen: new Set(), seenBefore: new Set(), bounds: null };
  }

  /** A connection of which more than rows was changed is not used again: that is the surest way back to the beginning. */
  #release(pooled: PooledConnection, state: ConnectionState): void {
    // What is lost is left where it lies: freeing it could fail in the same way.
    if (state === "lost") return;
    const isPristine = state === "clean" || (state === "written" && this.#rewind(pooled));
    if (isPristine && this.#pool.length < poolMax) this.#pool.push(pooled);
    else this.#dispose(pooled);
  }

  /** Virtual tables remember rows of their own. */
  #rewind({ connection }: PooledConnection): boolean {
    return this.#schema.virtuals.size === 0 && connection.rewind(this.#file);
  }

  #dispose(pooled: PooledConnection): void {
    dropKept(pooled);
    pooled.connection[Symbol.dispose]();
  }

  #worldOf(session: SqlSession): SqlWorld {
    return {
      digest: () => (session.written === 0 ? this.#digest.pristine : this.#digest.of(session.connection)),
      rehearse: (sql) => this.#rehearse(sql),
    };
  }

  #trustOf(session: SqlSession): SqlTrust {
    return {
      pristine: this.#file,
      version: () => session.written,
      snapshot: () => (session.written === 0 ? this.#file : session.connection.file.slice()),
      inTransaction: () => session.connection.inTransaction,
      look: (sql) => session.connection.run(sql),
      twin: () => createTwin(this.#engine, this.#file),
    };
  }

  #rehearse(sql: string): { readonly result: ResultSet; readonly digest: string } {
    let known = this.#rehearsed.get(sql);
    if (known === undefined) {
      if (this.#rehearsed.size >= rehearsedMax) this.#rehearsed.clear();
      known = this.#rehearseAnew(sql);
      this.#rehearsed.set(sql, known);
    }
    if (known instanceof Error) throw known;
    return known;
  }

  #rehearseAnew(sql: string) {
    const before = this.#rehearsal.version;
    try {
      const result = this.#rehearsal.run(sql);
      return { result, digest: this.#digest.of(this.#rehearsal) };
    } catch (error) {
      return error as Error;
    } finally {
      if (this.#rehearsal.inTransaction) this.#rehearsal.run("ROLLBACK");
      if (this.#rehearsal.version !== before) this.#rehearsal.load(this.#file);
    }
  }
}
