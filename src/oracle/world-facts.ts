import type { SqlTwin } from "../kernel/drivers/sql/sql-trust.ts";
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
  /** What may be read of each table, as text; empty where nothing restricts reading. */
  readonly readable: ReadableState;
}

export type ReadableState = ReadonlyMap<string, string>;

/** The facts of a file; they are remembered for as long as the file is. */
export function factsOf(twin: SqlTwin, file: Uint8Array, grants: SqlGrants): WorldFacts {
  let facts = grants.memory.facts.get(file);
  if (facts === undefined) {
    twin.load(file);
    facts = {
      schema: schemaOf(twin),
      rowCounts: countRows(twin),
      virtualRows: virtualRowsOf(twin),
      readable: readableState(twin, grants),
    };
    grants.memory.facts.set(file, facts);
  }
  return facts;
}

/** What may be read in the world as it is now, by table. */
export function readableState(twin: SqlTwin, grants: SqlGrants): ReadableState {
  if (!grants.restrictsReads) return new Map();
  const readable = baseTables(twin).map(({ name }) => {
    const columns = columnsOf(twin, name).filter((column) => grants.permitsReading(name, column));
    if (columns.length === 0) return [name, ""] as const;
    return [name, rowsAsText(twin.query(`SELECT ${columns.map(quoted).join(", ")} FROM ${quoted(name)}`))] as const;
  });
  return new Map(readable);
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

function countRows(twin: SqlTwin): WorldFacts["rowCounts"] {
  const tables = baseTables(twin).filter((table) => !table.isVirtual);
  if (tables.length === 0) return new Map();
  const counts = tables.map(({ name }) => `SELECT ${literal(name)}, (SELECT count(*) FROM ${quoted(name)})`);
  const { rows } = twin.query(counts.join(" UNION ALL "));
  return new Map(rows.map(([name, count]) => [String(name), Number(count)]));
}

function virtualRowsOf(twin: SqlTwin): WorldFacts["virtualRows"] {
  return new Map(
    [...virtualStorage(twin)].map(([table, storage]) => {
      const from = storage.endsWith("_rowid") ? table : storage;
      const { rows } = twin.query(`SELECT * FROM ${quoted(from)}`);
      return [table, new Map(rows.map((row) => [String(row[0]), rowAsText(row)]))];
    }),
  );
}
