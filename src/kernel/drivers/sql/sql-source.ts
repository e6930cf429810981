import { readFileSync } from "node:fs";
import { InputError, messageOf } from "../../../core/errors.ts";
import type { SqlDriverSpec } from "../../kernel-options.ts";
import { SqlConnection, SqlError } from "./sql-connection.ts";
import { loadSqlEngine, type SqlEngine } from "./sql-engine.ts";

const header = "SQLite format 3\0";
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * The database file that a driver's options stand for, checked: a script is run, a database opened.
 * @throws {InputError} when it is missing, is neither SQLite nor SQL text, or its SQL fails, with the line.
 */
export async function readSqlDatabase(spec: SqlDriverSpec): Promise<Uint8Array> {
  const engine = await loadSqlEngine();
  if ("script" in spec) return runScript(engine, spec.script, "kernel.drivers.sql.script");
  const bytes = readFile(spec.database);
  if (startsWithHeader(bytes)) return openDatabase(engine, bytes, spec.database);
  return runScript(engine, textOf(bytes, spec.database), spec.database);
}

function readFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new InputError(`database ${path}: expected a file that can be read, got: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function startsWithHeader(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, header.length)).toString("latin1") === header;
}

function textOf(bytes: Uint8Array, path: string): string {
  try {
    const text = decoder.decode(bytes);
    if (!text.includes("\0")) return text;
  } catch {}
  throw new InputError(`database ${path}: expected an SQLite database or an SQL script, got other binary content`);
}

function openDatabase(engine: SqlEngine, bytes: Uint8Array, path: string): Uint8Array {
  const file = bytes.slice();
  // A database in WAL mode cannot be opened in memory; its header is all that says so once it is closed.
  file[18] = 1;
  file[19] = 1;
  try {
    using connection = new SqlConnection(engine, file);
    const found = connection.run("PRAGMA quick_check(1)").rows[0]?.[0];
    if (found === "ok") return file;
    throw new InputError(`database ${path}: expected a sound SQLite database, got: ${found}`);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`database ${path}: expected an SQLite database, got: ${messageOf(error)}`, { cause: error });
  }
}

function runScript(engine: SqlEngine, script: string, name: string): Uint8Array {
  using connection = SqlConnection.empty(engine);
  const { at, end } = connection.place(script);
  let from = at;
  try {
    while (from < end) {
      const rest = runOne(connection, from, end);
      if (rest <= from) break;
      from = rest;
    }
  } catch (error) {
    const offset = error instanceof SqlError ? Math.max(0, connection.sqlite.sqlite3_error_offset(connection.db)) : 0;
    const line = lineAt(connection, { at, from, offset });
    throw new InputError(`database ${name}, line ${line}: expected SQL that runs, got: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    connection.sqlite.free(at);
  }
  if (connection.inTransaction) connection.run("COMMIT");
  // An empty database has no page, and a file needs one.
  connection.run("PRAGMA user_version = 1; PRAGMA user_version = 0");
  return connection.serialize();
}

function runOne(connection: SqlConnection, from: number, end: number): number {
  const compiled = connection.compile(from, end);
  if (compiled instanceof SqlError) throw compiled;
  if (compiled.stmt !== 0) connection.finish(compiled.stmt);
  return compiled.rest;
}

function lineAt(connection: SqlConnection, place: { at: number; from: number; offset: number }): number {
  const before = connection.heap.text(place.at, place.from - place.at);
  const rest = connection.heap.cString(place.from);
  const blank = place.offset > 0 ? place.offset : rest.length - rest.trimStart().length;
  return `${before}${rest.slice(0, blank)}`.split("\n").length;
}
