import type { SqlTwin } from "../kernel/drivers/sql/sql-trust.ts";
import { attempt } from "./attempt.ts";
import { rowAsText, rowsAsText } from "./rows-as-text.ts";
import type { SqlGrants } from "./sql-grants.ts";
import { baseTables, columnsOf, literal, quoted, virtualStorage } from "./tables.ts";

export interface SchemaObject {
  readonly name: string;
  readonly rootPage: number;
  readonly sql: string;
  readonly columnCount: number;
}

/** What can be seen of a database by looking at it. */
export interface WorldFacts {
  /** By type and name. */
  readonly schema: ReadonlyMap<string, SchemaObject>;
  /** Rows of each table that keeps its own. */
  readonly rowCounts: ReadonlyMap<string, number>;
  /** Rows of virtual tables, by table and number: triggers cannot count them. */
  readonly virtualRows: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Queries for what may be read, by table; empty where nothing restricts reading. */
  readonly readableBy: ReadonlyMap<string, string>;
  /** What may be read of each table, as text. */
  readonly readable: ReadableState;
}

export type ReadableState = ReadonlyMap<string, string>;

/**
 * The facts of a file; they are remembered for as long as the file is. What holds for every file with the same schema is taken
 * from the facts of one, where they are given.
 */
export function factsOf(twin: SqlTwin, file: Uint8Array, how: { grants: SqlGrants; like?: Uint8Array }): WorldFacts {
  const { grants, like } = how;
  const known = grants.memory.facts.get(file);
  if (known !== undefined) return known;
  const alike =
    like !== undefined && schemaCookie(like) === schemaCookie(file) ? grants.memory.facts.get(like) : undefined;
  twin.load(file);
  const readableBy = alike?.readableBy ?? readableQueries(twin, grants);
  const facts = {
    schema: alike?.schema ?? schemaOf(twin),
    rowCounts: countRows(twin, alike?.rowCounts.keys() ?? ownTables(twin)),
    virtualRows: virtualRowsOf(twin, alike),
    readableBy,
    readable: readableState(twin, readableBy),
  };
  grants.memory.facts.set(file, facts);
  return facts;
}

/** The number in a file's header that every change of the schema moves. */
function schemaCookie(file: Uint8Array): number {
  return new DataView(file.buffer, file.byteOffset).getUint32(40);
}

/** What may be read in the world as it is now, by table; what cannot be asked any more is empty. */
export function readableState(twin: SqlTwin, queries: WorldFacts["readableBy"]): ReadableState {
  const state = new Map<string, string>();
  for (const [table, sql] of queries) {
    let rows = "";
    attempt(() => {
      rows = rowsAsText(twin.query(sql));
    });
    state.set(table, rows);
  }
  return state;
}

function readableQueries(twin: SqlTwin, grants: SqlGrants): WorldFacts["readableBy"] {
  if (!grants.restrictsReads) return new Map();
  const queries = baseTables(twin).map(({ name }) => {
    const columns = columnsOf(twin, name).filter((column) => grants.permitsReading(name, column));
    return [name, columns.length === 0 ? "" : `SELECT ${columns.map(quoted).join(", ")} FROM ${quoted(name)}`] as const;
  });
  return new Map(queries.filter(([, sql]) => sql !== ""));
}

function schemaOf(twin: SqlTwin): WorldFacts["schema"] {
  const { rows } = twin.query(
    `SELECT type, name, coalesce(rootpage, 0), coalesce(sql, ''),
       CASE type WHEN 'table' THEN (SELECT count(*) FROM pragma_table_xinfo(sqlite_schema.name)) ELSE 0 END
     FROM sqlite_schema WHERE name NOT GLOB 'sqlite_stat*' AND name NOT GLOB 'sqlite_autoindex*' AND name <> 'sqlite_sequence'`,
  );
  return new Map(
    rows.map(([type, name, rootPage, sql, columnCount]) => [
      `${type} ${name}`,
      { name: String(name), rootPage: Number(rootPage), sql: String(sql), columnCount: Number(columnCount) },
    ]),
  );
}

function ownTables(twin: SqlTwin): readonly string[] {
  return baseTables(twin)
    .filter((table) => !table.isVirtual)
    .map(({ name }) => name);
}

function countRows(twin: SqlTwin, tables: Iterable<string>): WorldFacts["rowCounts"] {
  const counts = [...tables].map((name) => `SELECT ${literal(name)}, (SELECT count(*) FROM ${quoted(name)})`);
  if (counts.length === 0) return new Map();
  const { rows } = twin.query(counts.join(" UNION ALL "));
  return new Map(rows.map(([name, count]) => [String(name), Number(count)]));
}

function virtualRowsOf(twin: SqlTwin, alike: WorldFacts | undefined): WorldFacts["virtualRows"] {
  if (alike?.virtualRows.size === 0) return alike.virtualRows;
  return new Map(
    [...virtualStorage(twin)].map(([table, storage]) => {
      const from = storage.endsWith("_rowid") ? table : storage;
      const { rows } = twin.query(`SELECT * FROM ${quoted(from)}`);
      return [table, new Map(rows.map((row) => [String(row[0]), rowAsText(row)]))];
    }),
  );
}
