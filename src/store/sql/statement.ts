import {
  type Compilable,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import type { Dialect } from "./dialect.ts";
import type { Tables } from "./tables.ts";

/** What a statement is made with. */
export interface Maker<Given> {
  readonly db: Kysely<Tables>;
  /** Stands for what will be given: one value a field. */
  readonly given: Given;
  readonly dialect: Dialect;
}

export type Value = string | number | null | Uint8Array;

/** SQL as one database wants it, and the values in their order. */
export interface BoundStatement {
  readonly sql: string;
  readonly values: readonly Value[];
  /** Whether it may change anything. */
  readonly writes: boolean;
}

/**
 * A statement that both databases understand, compiled once for each: compiling takes longer than most statements run, and a server runs
 * a dozen a request.
 */
export class Statement<Given, Row> {
  /** Only for the type. */
  declare readonly row: Row;
  readonly #make: (maker: Maker<Given>) => Compilable<Row>;
  readonly #compiled = new Map<Dialect, Compiled>();

  constructor(make: (maker: Maker<Given>) => Compilable<Row>) {
    this.#make = make;
  }

  bind(dialect: Dialect, given: Given): BoundStatement {
    const { sql, parameters, writes } = this.#compiledFor(dialect);
    const fields = given as Readonly<Record<string, Value>>;
    const values = parameters.map((value) =>
      value instanceof Placeholder ? (fields[value.field] as Value) : (value as Value),
    );
    return { sql, values, writes };
  }

  #compiledFor(dialect: Dialect): Compiled {
    const known = this.#compiled.get(dialect);
    if (known !== undefined) return known;
    const given = new Proxy({}, { get: (_, field) => new Placeholder(String(field)) }) as Given;
    const { sql, parameters } = this.#make({ db: builders[dialect], given, dialect }).compile();
    const compiled = { sql, parameters, writes: isWriting(sql) };
    this.#compiled.set(dialect, compiled);
    return compiled;
  }
}

interface Compiled {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  readonly writes: boolean;
}

function isWriting(sql: string): boolean {
  return !/^\s*select\b/i.test(sql);
}

/** `statement<Given>()(make)`: in two calls, so that the row's type follows from what is made. */
export function statement<Given = Readonly<Record<string, never>>>() {
  return <Row>(make: (maker: Maker<Given>) => Compilable<Row>) => new Statement<Given, Row>(make);
}

/** A statement whose form depends on what is asked for, made for one use. */
export function compileOnce<Row>(
  dialect: Dialect,
  make: (maker: Omit<Maker<never>, "given">) => Compilable<Row>,
): BoundStatement {
  const { sql, parameters } = make({ db: builders[dialect], dialect }).compile();
  return { sql, values: parameters as readonly Value[], writes: isWriting(sql) };
}

class Placeholder {
  readonly field: string;

  constructor(field: string) {
    this.field = field;
  }
}

/** They make statements and run none. */
const builders: Readonly<Record<Dialect, Kysely<Tables>>> = {
  sqlite: new Kysely<Tables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  }),
  postgres: new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  }),
};
