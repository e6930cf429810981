import type { ResultSet } from "../../../core/sql.ts";
import { type SqlConnection, SqlError } from "./sql-connection.ts";
import { SqlLexer } from "./sql-lexer.ts";

/** A column that a program reads; lower case. */
export interface ColumnRead {
  readonly table: string;
  readonly column: string;
}

const replaceConflict = 5;

/**
 * What the engine compiled a statement to, as its own EXPLAIN lists it: the last word on what the authorizer leaves open. It is asked only where
 * there is a doubt.
 */
export class SqlProgram {
  readonly #connection: SqlConnection;
  readonly #operations: ResultSet["rows"];

  /** The program of a text of one statement that compiles; `null` where the engine cannot list it. */
  static of(connection: SqlConnection, statement: string): SqlProgram | null {
    try {
      return new SqlProgram(connection, connection.run(`EXPLAIN ${withoutEmptyStatements(statement)}`));
    } catch (error) {
      if (error instanceof SqlError) return null;
      throw error;
    }
  }

  private constructor(connection: SqlConnection, listed: ResultSet) {
    this.#connection = connection;
    this.#operations = listed.rows;
  }

  /** Tables with storage in the main database that are opened, themselves or an index of theirs. */
  get opened(): ReadonlySet<string> {
    const owners = new Map(this.#stored().map(({ root, table }) => [root, table]));
    const opened = new Set<string>();
    for (const { code, database, second } of this.#listed())
      if (isOpen(code) && database === 0) opened.add(owners.get(second) ?? "");
    return opened;
  }

  /** Whether a virtual table is opened: which one is not told. */
  get opensVirtual(): boolean {
    return this.#listed().some(({ code }) => code === "VOpen");
  }

  /** Whether rows of a virtual table may be replaced by rows with the same key. */
  get replacesVirtual(): boolean {
    return this.#listed().some(({ code, flags }) => code === "VUpdate" && flags === replaceConflict);
  }

  /** Columns that are read from tables opened for reading: joins by name read columns of which the authorizer is not told. */
  columnsRead(): readonly ColumnRead[] {
    const stored = new Map(this.#stored().map((entry) => [entry.root, entry]));
    const cursors = new Map<number, readonly string[]>();
    const tables = new Map<number, string>();
    const read: ColumnRead[] = [];
    for (const { code, database, first, second } of this.#listed()) {
      const entry = code === "OpenRead" && database === 0 ? stored.get(second) : undefined;
      if (entry !== undefined) {
        cursors.set(first, this.#columnsOf(entry));
        tables.set(first, entry.table);
      }
      const table = tables.get(first);
      const columns = cursors.get(first);
      if (table === undefined || columns === undefined) continue;
      if (code === "Column") read.push({ table, column: columns[second] ?? "" });
      else if (rowidReads.has(code)) read.push({ table, column: this.#keyOf(table) });
    }
    return read;
  }

  /** Columns of a table of any kind. */
  columnsOf(table: string): readonly string[] {
    const { rows } = this.#connection.run(
      `SELECT name FROM pragma_table_xinfo('${table.replaceAll("'", "''")}') WHERE hidden <> 1`,
    );
    return rows.map(([column]) => String(column).toLowerCase());
  }

  #listed() {
    return this.#operations.map(([, code, first, second, third, , flags]) => ({
      code: String(code),
      first: Number(first),
      second: Number(second),
      database: Number(third),
      flags: Number(flags),
    }));
  }

  #stored() {
    const { rows } = this.#connection.run(
      "SELECT rootpage, type, name, tbl_name FROM sqlite_schema WHERE rootpage > 0 UNION ALL SELECT 1, 'table', 'sqlite_schema', 'sqlite_schema'",
    );
    return rows.map(([root, type, name, table]) => ({
      root: Number(root),
      isIndex: type === "index",
      name: String(name),
      table: String(table).toLowerCase(),
    }));
  }

  /** Names by their place in the stored row. */
  #columnsOf({ name, isIndex }: { readonly name: string; readonly isIndex: boolean }): readonly string[] {
    const quoted = `'${name.replaceAll("'", "''")}'`;
    const key = isIndex ? quoted : this.#keyIndexOf(quoted);
    const listed =
      key === null
        ? `SELECT name FROM pragma_table_xinfo(${quoted}) WHERE hidden <> 2 ORDER BY cid`
        : `SELECT name FROM pragma_index_xinfo(${key}) ORDER BY seqno`;
    return this.#connection.run(listed).rows.map(([column]) => String(column ?? "").toLowerCase());
  }

  /** A table WITHOUT ROWID is stored as the index of its key. */
  #keyIndexOf(quoted: string): string | null {
    const { rows } = this.#connection.run(
      `SELECT i.name FROM pragma_table_list(${quoted}) AS t, pragma_index_list(${quoted}) AS i WHERE t.wr = 1 AND i.origin = 'pk'`,
    );
    return rows.length === 0 ? null : `'${String(rows[0]?.[0]).replaceAll("'", "''")}'`;
  }

  #keyOf(table: string): string {
    const { rows } = this.#connection.run(
      `SELECT name FROM pragma_table_xinfo('${table.replaceAll("'", "''")}') WHERE pk = 1 AND upper(type) = 'INTEGER'`,
    );
    return String(rows[0]?.[0] ?? "").toLowerCase();
  }
}

const rowidReads = new Set(["Rowid", "IdxRowid", "SeekRowid", "NotExists"]);

function isOpen(code: string): boolean {
  return code === "OpenRead" || code === "OpenWrite" || code === "ReopenIdx";
}

/** The engine skips empty statements before a statement; EXPLAIN must stand right before its verb. */
function withoutEmptyStatements(statement: string): string {
  const lexer = new SqlLexer(statement);
  while (lexer.next() === "symbol" && lexer.text() === ";");
  return statement.slice(lexer.start);
}
