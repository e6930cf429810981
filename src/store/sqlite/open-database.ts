import { existsSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FaradayError, InputError, messageOf } from "../../core/errors.ts";
import { migrations, schemaVersion } from "../sql/schema.ts";
import { unpackSegment } from "../sql/segment-codec.ts";
import { inTransaction } from "./transaction.ts";

/** Kept in `PRAGMA application_id`, so that any other SQLite database is told apart: "FRDY". */
const applicationId = 0x46524459;

/** How long a writer waits for another before it gives up. */
const busyTimeoutMs = 10_000;

/**
 * So much that a transaction of 40,000 spans fits: what does not is written twice. Four times as much was no faster for 300,000 spans,
 * and a process that stores a million rollouts grew until it was full.
 */
const cacheKibibytes = 16_384;
/** Pages of 4 KiB in the log before it is moved into the file; the default of 1,000 moves the same pages again and again. */
const logPagesMax = 8_000;

/**
 * Opens the database of a store, and makes it where there is none. Whatever else lies there is left as it is.
 * @throws {InputError} when no store can be at the path.
 * @throws {FaradayError} when the disk is full, or fails.
 */
export function openDatabase(path: string, options: { readonly mustExist: boolean }): DatabaseSync {
  checkPath(path, options.mustExist);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: busyTimeoutMs });
    checkIdentity(database, path);
    prepare(database, path);
    // From here on the engine waits, without holding up the process: for other processes, and for the disk.
    database.exec("PRAGMA busy_timeout = 1; PRAGMA synchronous = NORMAL");
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof FaradayError) throw error;
    const Failure = isOfTheDisk(error) ? FaradayError : InputError;
    throw new Failure(`store ${path} ${reason(error)}`, { cause: error });
  }
}

function checkPath(path: string, mustExist: boolean): void {
  const directory = dirname(path);
  if (!existsSync(directory)) throw new InputError(`store ${path}: there is no directory ${directory}`);
  const stat = statOf(path);
  if (stat === undefined && mustExist) throw new InputError(`store ${path} does not exist`);
  if (stat?.isDirectory()) throw new InputError(`store ${path} must be a file, got a directory`);
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new InputError(`store ${path} cannot be opened: ${messageOf(error)}`, { cause: error });
  }
}

/** Only reads, so that a stranger's database stays as it was. */
function checkIdentity(database: DatabaseSync, path: string): void {
  const version = pragma(database, "user_version");
  if (version > schemaVersion) {
    throw new InputError(
      `store ${path} has schema version ${version}, newer than ${schemaVersion}, the newest that this Faraday knows: use a newer Faraday`,
    );
  }
  if (isEmpty(database)) return;
  if (pragma(database, "application_id") !== applicationId) {
    throw new InputError(`store ${path} is an SQLite database, but not a Faraday store`);
  }
  const [oldest] = migrations;
  if (version < (oldest?.version ?? 0)) {
    throw new InputError(
      `store ${path} has schema version ${version}, made by a Faraday whose audit logs were not signed yet; this one needs version ${oldest?.version} or newer: read it with the Faraday that made it, or name another store`,
    );
  }
}

/** Brings the schema up to date, all of the way or not at all: rows stay what they are. */
function prepare(database: DatabaseSync, path: string): void {
  const mode = database.prepare("PRAGMA journal_mode = WAL").get()?.journal_mode;
  if (mode !== "wal") {
    throw new InputError(
      `store ${path} must lie where SQLite can have a write-ahead log, such as a local disk; it has ${mode}`,
    );
  }
  database.exec(`PRAGMA synchronous = FULL; PRAGMA cache_size = -${cacheKibibytes}`);
  database.exec(`PRAGMA wal_autocheckpoint = ${logPagesMax}`);
  addFunctions(database);
  if (pragma(database, "user_version") === schemaVersion) return;
  inTransaction(database, () => {
    const version = pragma(database, "user_version");
    for (const migration of migrations) if (migration.version > version) database.exec(migration.sql("sqlite"));
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}`);
  });
}

/** What views need that SQLite does not have: `faraday_records(bytes)`, the records of an audit segment as a JSON array. */
export function addFunctions(database: DatabaseSync): void {
  database.function("faraday_records", { deterministic: true }, (bytes) => {
    const lines = Buffer.from(unpackSegment(bytes as Uint8Array)).toString();
    return `[${lines.trimEnd().replaceAll("\n", ",")}]`;
  });
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
}

function pragma(database: DatabaseSync, name: "user_version" | "application_id"): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** SQLite's result codes, https://www.sqlite.org/rescode.html; extended codes carry them in their low byte. */
const reasons: Readonly<Record<number, string>> = {
  5: "is locked by another process",
  8: "is not writable",
  14: "cannot be opened for writing",
  26: "is not an SQLite database",
};

/** Whether the same store may be opened another time. */
function isOfTheDisk(error: unknown): boolean {
  const code = codeOf(error);
  return code === 10 || code === 13;
}

function codeOf(error: unknown): number {
  return error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : -1;
}

function reason(error: unknown): string {
  const known = reasons[codeOf(error)];
  return known === undefined ? `cannot be opened: ${messageOf(error)}` : `${known} (${messageOf(error)})`;
}
