import { hash } from "node:crypto";
import type { ResultSet, SqlValue } from "../../../core/sql.ts";
import { type SqlConnection, SqlError } from "./sql-connection.ts";

const memoMax = 2_000;
/** Numbers of room for the words that differ: at first, and most that is kept. */
const [keptRoom, keptRoomMax] = [4_096, 262_144];

/**
 * Digests of database states: schema and rows, the rows of each table in order of their content, so that states are equal
 * however they were reached. The engine's own bookkeeping (sequences, statistics) is no part of a state.
 *
 * States are near the pristine file, so only tables with a changed page are read again: a table cannot change without one
 * of its pristine pages changing, and `dbstat` says whose each page is.
 */
export class SqlDigest {
  readonly #file: Uint8Array;
  readonly #pageBytes: number;
  readonly #ownerOfPage: readonly (string | undefined)[];
  readonly #schema: string;
  readonly #tables: ReadonlyMap<string, string>;
  /** Room for the words that differ, each with its place: kept, since it is needed at the end of every episode that wrote. */
  #differing = new Int32Array(keptRoom);
  readonly #memo = new Map<string, string>();
  /** Digest of the pristine state. */
  readonly pristine: string;

  /** @param connection stands on the pristine file, which it leaves as it is. */
  constructor(connection: SqlConnection, file: Uint8Array) {
    // A copy, whose words are where words may be.
    this.#file = new Uint8Array(file);
    this.#pageBytes = connection.run("PRAGMA page_size").rows[0]?.[0] as number;
    this.#ownerOfPage = pageOwners(connection);
    this.#schema = schemaOf(connection);
    this.#tables = new Map(tablesOf(connection).map(({ name }) => [name, tableDigest(connection, name)]));
    this.pristine = combine(this.#schema, this.#tables);
  }

  of(connection: SqlConnection): string {
    if (connection.inTransaction) return this.#compute(connection, null);
    const { pages, key } = this.#changes(connection.file);
    const known = this.#memo.get(key);
    if (known !== undefined) return known;
    const digest = this.#compute(connection, pages);
    if (this.#memo.size >= memoMax) this.#memo.clear();
    this.#memo.set(key, digest);
    return digest;
  }

  #compute(connection: SqlConnection, pages: readonly number[] | null): string {
    const schema = schemaOf(connection);
    const changed =
      pages === null || schema !== this.#schema ? null : new Set(pages.map((page) => this.#ownerOfPage[page]));
    const digests = new Map<string, string>();
    for (const { name, virtual } of tablesOf(connection)) {
      const known = changed === null || virtual || changed.has(name) ? undefined : this.#tables.get(name);
      digests.set(name, known ?? tableDigest(connection, name));
    }
    return combine(schema, digests);
  }

  /**
   * Pages, counted from 0, that are not as in the pristine file, and what names the state: the words that differ, but for the counters of page one
   * that every commit moves.
   */
  #changes(file: Uint8Array): { readonly pages: readonly number[]; readonly key: string } {
    const [now, before] = [bufferOf(file), bufferOf(this.#file)];
    const [nowWords, wordsBefore] = [wordsOf(file), wordsOf(this.#file)];
    const size = this.#pageBytes;
    const pages: number[] = [];
    let { length: room } = this.#differing;
    let count = 0;
    for (let start = 0; start < Math.max(now.length, before.length); start += size) {
      const end = start + size;
      const isInBoth = end <= now.length && end <= before.length;
      if (isInBoth && now.compare(before, start, end, start, end) === 0) continue;
      pages.push(start / size);
      if (count + size / 2 > room) room = this.#makeRoom(count + size / 2);
      const differing = this.#differing;
      const last = Math.min(end / 4, nowWords.length);
      for (let word = start / 4; word < last; word++) {
        const value = nowWords[word] as number;
        if (value === wordsBefore[word] || counters.includes(word)) continue;
        differing[count++] = word;
        differing[count++] = value;
      }
    }
    const key = `${file.length}:${hash("sha1", this.#differing.subarray(0, count), "base64")}`;
    if (room > keptRoomMax) this.#differing = new Int32Array(keptRoom);
    return { pages, key };
  }

  /** @returns How many numbers there is room for now. */
  #makeRoom(least: number): number {
    const grown = new Int32Array(2 * least);
    grown.set(this.#differing);
    this.#differing = grown;
    return grown.length;
  }
}

/** The change counter, the version that it is valid for, and SQLite's own version number, in words of the file's header. */
const counters = [24 / 4, 92 / 4, 96 / 4];

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function wordsOf({ buffer, byteOffset, byteLength }: Uint8Array): Int32Array {
  return new Int32Array(buffer, byteOffset, byteLength / 4);
}

function pageOwners(connection: SqlConnection): readonly (string | undefined)[] {
  const owners: string[] = [];
  const { rows } = connection.run(
    "SELECT pageno, coalesce((SELECT tbl_name FROM sqlite_schema WHERE name = dbstat.name), name) FROM dbstat",
  );
  for (const [page, table] of rows as readonly (readonly [number, string])[]) owners[page - 1] = table;
  return owners;
}

function schemaOf(connection: SqlConnection): string {
  const { rows } = connection.run(
    "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT GLOB 'sqlite_stat*' AND name <> 'sqlite_sequence' ORDER BY type, name",
  );
  return rows.map(encodeRow).join("\n");
}

function tablesOf(connection: SqlConnection): readonly { readonly name: string; readonly virtual: boolean }[] {
  const { rows } = connection.run(
    "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') AND name NOT GLOB 'sqlite_*' ORDER BY name",
  );
  return rows.map(([name, type]) => ({ name: String(name), virtual: type === "virtual" }));
}

function tableDigest(connection: SqlConnection, table: string): string {
  return hash("sha256", rowsOf(connection, table).map(encodeRow).sort().join("\n"), "hex");
}

/** Some virtual tables cannot be scanned: their shadow tables, which are digested too, hold all that they are. */
function rowsOf(connection: SqlConnection, table: string): ResultSet["rows"] {
  try {
    return connection.run(`SELECT * FROM "${table.replaceAll('"', '""')}"`).rows;
  } catch (error) {
    if (error instanceof SqlError) return [];
    throw error;
  }
}

function combine(schema: string, tables: ReadonlyMap<string, string>): string {
  const lines = [...tables].map(([name, digest]) => `${JSON.stringify(name)} ${digest}`);
  return hash("sha256", `${lines.join("\n")}\n${schema}`, "hex");
}

/** A row as one line of text; different rows give different lines. */
export function encodeRow(row: readonly SqlValue[]): string {
  let line = "";
  for (const value of row) line += `${encodeValue(value)},`;
  return line;
}

function encodeValue(value: SqlValue): string {
  if (value === null) return "null";
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString("hex")}`;
  return String(value);
}
