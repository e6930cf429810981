import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { InputError } from "../core/errors.ts";
import type { BatchWriter, LightningStore } from "./lightning-store.ts";
import { postgresName } from "./postgres-place.ts";
import type { RolloutQueue } from "./rollout-queue.ts";
import type { Engine } from "./sql/engine.ts";
import type { StoreMaintenance } from "./sql/maintenance.ts";
import { SqlStore } from "./sql/sql-store.ts";

export interface OpenStoreOptions {
  /** What relative paths are relative to. */
  readonly baseDir: string;
  /** Refuse where there is no store yet, instead of making one: for commands that only read. */
  readonly mustExist?: boolean;
  /** The clock of the queue, in milliseconds since 1970; the machine's own where it is absent. */
  readonly now?: () => number;
  /** How long what a database server does not answer is tried again; 0, where it is absent, not at all. */
  readonly outageMs?: number;
  /** Makes what stores the batches of a store that is a file, and is disposed of with it. */
  readonly batchWriter?: () => BatchWriter;
}

/**
 * Opens the store that a URL names: `sqlite:` and a path, `postgres://…`, or `http://…` where a server has it (`faraday store serve`).
 * @throws {InputError} when the URL, or what lies there, is no store.
 */
export async function openStore(url: string, options: OpenStoreOptions): Promise<LightningStore & RolloutQueue> {
  if (isHttp(url)) {
    const { HttpStore } = await import("./http/http-store.ts");
    return await HttpStore.open(url, { baseDir: options.baseDir });
  }
  const engine = await openEngine(url, options);
  const { now, batchWriter, outageMs = 0 } = options;
  return new SqlStore(engine, {
    outageMs,
    ...(now === undefined ? {} : { now }),
    ...(batchWriter === undefined || engine.dialect !== "sqlite" ? {} : { batches: batchWriter() }),
  });
}

/**
 * Opens a store to count it, prune it or copy it.
 * @throws {InputError} when the URL, or what lies there, is no store.
 */
export async function openMaintenance(url: string, options: OpenStoreOptions): Promise<StoreMaintenance> {
  const { StoreMaintenance } = await import("./sql/maintenance.ts");
  return new StoreMaintenance(await openEngine(url, options));
}

/** Loaded when asked for, so that nobody pays for the other's client. */
async function openEngine(url: string, { baseDir, mustExist = false }: OpenStoreOptions): Promise<Engine> {
  if (isPostgres(url)) {
    const { PostgresEngine } = await import("./postgres/postgres-engine.ts");
    return await PostgresEngine.open(url, { mustExist });
  }
  const path = sqlitePath(url);
  const { SqliteEngine } = await import("./sqlite/sqlite-engine.ts");
  return SqliteEngine.open(resolve(baseDir, path), { mustExist });
}

/**
 * What names a store outside of it, from whatever folder it is opened: the absolute path of its file, which must exist, or the URL of its
 * database without the password.
 * @throws {InputError} when the URL names no store.
 */
export function storePlace(url: string, { baseDir }: Pick<OpenStoreOptions, "baseDir">): string {
  if (isPostgres(url)) return postgresName(url);
  if (isHttp(url)) return new URL(url).origin;
  return realpathSync(resolve(baseDir, sqlitePath(url)));
}

function isHttp(url: string): boolean {
  return /^https?:\/\/./.test(url) && URL.canParse(url);
}

function isPostgres(url: string): boolean {
  return /^postgres(ql)?:\/\//.test(url);
}

function sqlitePath(url: string): string {
  const path = /^sqlite:(?!\/\/[^/])(?<path>.+)$/.exec(url)?.groups?.path;
  if (path === undefined)
    throw new InputError(
      `store must be sqlite:path, postgres://… or http://…, got ${JSON.stringify(withoutPassword(url))}`,
    );
  return path;
}

/** Messages end up in logs; passwords in URLs must not. */
function withoutPassword(url: string): string {
  return url.replace(/:\/\/[^/@]*@/, "://…@");
}
