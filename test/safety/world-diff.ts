import { rowsAsText, valueAsText } from "./as-text.ts";
import type { BareDatabase } from "./bare-database.ts";

/** What a database holds, by table and by object. */
export interface WorldState {
  /** Rows of each table as values by column, keyed by the row's own key. */
  readonly tables: ReadonlyMap<string, ReadonlyMap<string, Readonly<Record<string, string>>>>;
  /** Text of each object of the schema. */
  readonly objects: ReadonlyMap<string, string>;
}

/** Tables whose rows are kept elsewhere, by where their own numbers are. */
const storage: Readonly<Record<string, string>> = {
  book_search: "book_search_docsize",
  vault_search: "vault_search_docsize",
  words: "words_docsize",
};

export function stateOf(database: BareDatabase): WorldState {
  const listed = database.rows(
    "SELECT name, wr FROM pragma_table_list WHERE type IN ('table', 'virtual') AND schema <> 'temp'",
  );
  const tables = listed.filter(([name]) => !/^sqlite_(schema|temp)/.test(String(name)) && name !== "counted");
  const state = tables.map(
    ([name, withoutRowid]) => [String(name), rowsOf(database, String(name), withoutRowid === 1)] as const,
  );
  const objects = database.rows(
    "SELECT type || ' ' || name, sql FROM sqlite_schema UNION ALL SELECT 'temp ' || name, sql FROM sqlite_temp_schema",
  );
  return { tables: new Map(state), objects: new Map(objects.map(([key, sql]) => [String(key), String(sql)])) };
}

function rowsOf(database: BareDatabase, table: string, withoutRowid: boolean) {
  const from = `"${(storage[table] ?? table).replaceAll('"', '""')}"`;
  const names = database
    .rows(`SELECT name FROM pragma_table_xinfo('${table}') WHERE hidden <> 1`)
    .map(([name]) => String(name));
  const { error, rows } = database.run(
    storage[table] === undefined
      ? `SELECT ${withoutRowid ? "''" : "rowid"}, * FROM ${from}`
      : `SELECT id, id FROM ${from}`,
  );
  if (error !== null) return new Map<string, Readonly<Record<string, string>>>();
  return new Map(
    rows.map(([rowid, ...values]) => [
      withoutRowid ? String(values[0]) : String(rowid),
      Object.fromEntries(values.map((value, index) => [names[index] ?? `column ${index}`, valueAsText(value)])),
    ]),
  );
}

/** Changes as `insert t`, `update t`, `delete t`, `create t`, `drop t`, `alter t`. */
export function changesBetween(before: WorldState, after: WorldState): readonly string[] {
  const changes = new Set<string>();
  for (const [table, rows] of before.tables) {
    const now = after.tables.get(table);
    const isRenamed = [...after.tables].some(([name, other]) => !before.tables.has(name) && other.size === rows.size);
    if (now === undefined && rows.size > 0 && !isRenamed) changes.add(`delete ${table}`);
    if (now === undefined) continue;
    for (const [key, row] of rows) {
      const is = now.get(key);
      if (is === undefined) changes.add(`delete ${table}`);
      else if (JSON.stringify(is) !== JSON.stringify(row)) changes.add(`update ${table}`);
    }
    for (const key of now.keys()) if (!rows.has(key)) changes.add(`insert ${table}`);
  }
  for (const [key, sql] of before.objects) {
    const now = after.objects.get(key);
    if (now === undefined) changes.add(`drop ${nameOf(key)}`);
    else if (now !== sql) changes.add(`alter ${nameOf(key)}`).add(`drop ${nameOf(key)}`);
  }
  for (const key of after.objects.keys())
    if (!before.objects.has(key)) changes.add(`create ${nameOf(key)}`).add(`alter ${nameOf(key)}`);
  return [...changes];
}

/** What was written, without what may not be read: rows that came or changed, in the columns that are not hidden. */
export function writtenBetween(before: WorldState, after: WorldState, hidden: Hidden): string {
  const written: string[] = [];
  for (const [table, rows] of after.tables) {
    if (hidden.tables.includes(table) || table.includes("sqlite_")) continue;
    const were = before.tables.get(table);
    const shown = (row: Readonly<Record<string, string>>) =>
      Object.entries(row)
        .filter(([column]) => !hidden.columns.includes(`${table}.${column}`))
        .map(([, value]) => value);
    for (const [key, row] of rows) {
      const was = were?.get(key);
      if (was === undefined || shown(was).join() !== shown(row).join())
        written.push(`${table} ${key}: ${shown(row).join()}`);
    }
    for (const key of were?.keys() ?? []) if (!rows.has(key)) written.push(`${table} ${key} gone`);
  }
  return rowsAsText(written.sort().map((line) => [line]));
}

/** What a policy hides, and scripts that change it and nothing else. */
export interface Hidden {
  readonly columns: readonly string[];
  readonly tables: readonly string[];
  readonly worlds: readonly string[];
}

function nameOf(key: string): string {
  return key.slice(key.indexOf(" ") + 1);
}
