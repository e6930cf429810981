import type { SqlConnection } from "./sql-connection.ts";
import { namesIn, SqlLexer } from "./sql-lexer.ts";

/** What a database has, by lower-case name. */
export interface SqlSchema {
  /** Tables and views of every kind, temporary ones included. */
  readonly tables: ReadonlySet<string>;
  readonly views: ReadonlySet<string>;
  readonly virtuals: ReadonlySet<string>;
  /** Storage of virtual tables: the name of each shadow table, and of the table it belongs to. */
  readonly shadows: ReadonlyMap<string, string>;
  /** The shadow table of each virtual table that has one row for every row of it. */
  readonly rowsOf: ReadonlyMap<string, string>;
  /** What is named in views and triggers that join by the names of columns. */
  readonly joinedByName: ReadonlySet<string>;
  /** What reading a column of a table reads besides, by table. */
  readonly beneath: ReadonlyMap<string, Beneath>;
}

/** Columns that others stand on: `null` as a column's list means every column of the table. */
export interface Beneath {
  /** The table that columns are taken from. */
  readonly table: string;
  /** Its columns, in lower case. */
  readonly all: readonly string[];
  /** What each column reads; a column that is not named reads the one of its own name, or all. */
  readonly columns: ReadonlyMap<string, readonly string[]>;
}

interface Listed {
  readonly name: string;
  readonly type: string;
  readonly sql: string;
}

export function readSchema(connection: SqlConnection): SqlSchema {
  // Lower case as JavaScript has it, not SQLite, which knows only ASCII: rules compare the same way.
  const listed: readonly Listed[] = connection
    .run(
      `SELECT l.name, l.type, coalesce(s.sql, '') FROM pragma_table_list AS l
       LEFT JOIN (SELECT name, sql FROM sqlite_schema UNION ALL SELECT name, sql FROM sqlite_temp_schema) AS s ON s.name = l.name`,
    )
    .rows.map(([name, type, sql]) => ({ name: String(name).toLowerCase(), type: String(type), sql: String(sql) }));
  const virtuals = listed.filter(({ type }) => type === "virtual");
  const names = virtuals.map(({ name }) => name);
  const shadows = listed
    .filter(({ type }) => type === "shadow")
    .map(({ name }) => [name, ownerOf(name, names)] as const);
  return {
    tables: new Set(listed.map(({ name }) => name).filter((name) => !name.startsWith("sqlite_"))),
    views: new Set(listed.filter(({ type }) => type === "view").map(({ name }) => name)),
    virtuals: new Set(names),
    shadows: new Map(shadows),
    rowsOf: new Map(names.flatMap((name) => rowsOf(name, new Map(shadows)))),
    joinedByName: joinedByName(connection),
    beneath: new Map([
      ...virtuals.flatMap((table) => beneathVirtual(connection, table)),
      ...listed.filter(({ type }) => type === "table").flatMap((table) => beneathGenerated(connection, table)),
    ]),
  };
}

/** The longest name that the shadow table's name begins with. */
function ownerOf(shadow: string, virtuals: readonly string[]): string {
  const owners = virtuals.filter((name) => shadow.startsWith(`${name}_`));
  return owners.sort((a, b) => b.length - a.length)[0] ?? shadow;
}

function rowsOf(name: string, shadows: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  const found = ["content", "docsize", "rowid"].map((part) => `${name}_${part}`).find((part) => shadows.has(part));
  return found === undefined ? [] : [[name, found]];
}

/** A full-text index over another table's content, and the vocabulary of an index, tell what that table holds. */
function beneathVirtual(connection: SqlConnection, { name, sql }: Listed): readonly (readonly [string, Beneath])[] {
  const args = argumentsOf(sql);
  const content = args.find((words) => words[0] === "content" && words[1] === "=")?.[2];
  const vocabulary = args.length > 0 && /\busing\s+fts5vocab\b/i.test(sql) ? args.at(-2)?.[0] : undefined;
  const table = vocabulary ?? content ?? "";
  if (table === "") return [];
  const source = columnsOf(connection, table);
  const shared =
    vocabulary === undefined ? columnsOf(connection, name).filter((column) => source.includes(column)) : [];
  // What is no column, such as the rank of a match, is taken from all that is indexed.
  const all = vocabulary === undefined ? shared : source;
  const columns = new Map<string, readonly string[]>([
    ["", []],
    ["rowid", []],
  ]);
  for (const column of shared) columns.set(column, [column]);
  return [[name, { table, all, columns }]];
}

/** What a generated column is computed from, others of its kind included. */
function beneathGenerated(connection: SqlConnection, { name, sql }: Listed): readonly (readonly [string, Beneath])[] {
  if (!/\bas\b/i.test(sql)) return [];
  const all = columnsOf(connection, name);
  const generated = new Set(
    connection
      .run(`SELECT name FROM pragma_table_xinfo(${quoted(name)}) WHERE hidden IN (2, 3)`)
      .rows.map(([column]) => String(column).toLowerCase()),
  );
  if (generated.size === 0) return [];
  const columns = new Map<string, readonly string[]>([...all, "", "rowid", "oid", "_rowid_"].map((c) => [c, []]));
  for (const words of argumentsOf(sql)) {
    const column = words[0] ?? "";
    if (generated.has(column))
      columns.set(
        column,
        all.filter((other) => other !== column && words.includes(other)),
      );
  }
  for (const column of generated) columns.set(column, closure(column, columns));
  return [[name, { table: name, all, columns }]];
}

function closure(column: string, columns: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const reached = new Set<string>(columns.get(column));
  for (const next of reached) for (const further of columns.get(next) ?? []) reached.add(further);
  return [...reached];
}

function joinedByName(connection: SqlConnection): ReadonlySet<string> {
  const { rows } = connection.run("SELECT sql FROM sqlite_schema WHERE type IN ('view', 'trigger')");
  const joining = rows.map(([sql]) => String(sql)).filter((sql) => /\b(natural|using)\b/i.test(sql));
  return new Set(joining.flatMap((sql) => [...namesIn(sql)]));
}

function columnsOf(connection: SqlConnection, table: string): readonly string[] {
  const { rows } = connection.run(`SELECT name FROM pragma_table_xinfo(${quoted(table)}) WHERE hidden <> 1`);
  return rows.map(([column]) => String(column).toLowerCase());
}

function quoted(name: string): string {
  return `'${name.replaceAll("'", "''")}'`;
}

/** The words of each part between the outer parentheses of a CREATE statement, in lower case. */
function argumentsOf(sql: string): readonly (readonly string[])[] {
  const parts: string[][] = [];
  const lexer = new SqlLexer(sql);
  let depth = 0;
  while (lexer.next() !== "end") {
    const text = lexer.text();
    const symbol = lexer.kind === "symbol" ? text : "";
    if (symbol === "(" && depth++ === 0) parts.push([]);
    if (symbol === ")") depth--;
    else if (symbol === "," && depth === 1) parts.push([]);
    else if (depth > 1 || (depth === 1 && symbol !== "(")) parts.at(-1)?.push(text);
  }
  return parts;
}
