import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { InputError } from "../core/errors.ts";
import type { LightningStore } from "./lightning-store.ts";

export interface OpenStoreOptions {
  /** What relative paths are relative to. */
  readonly baseDir: string;
  /** Refuse where there is no store yet, instead of making one: for commands that only read. */
  readonly mustExist?: boolean;
}

/**
 * Opens the store that a URL names: `sqlite:` and a path.
 * @throws {InputError} when the URL, or what lies there, is no store.
 */
export async function openStore(url: string, options: OpenStoreOptions): Promise<LightningStore> {
  const path = sqlitePath(url);
  // Loaded when asked for, so that other backends do not pay for node:sqlite.
  const { SqliteStore } = await import("./sqlite/sqlite-store.ts");
  return SqliteStore.open(resolve(options.baseDir, path), { mustExist: options.mustExist ?? false });
}

/**
 * What names a store outside of it, from whatever folder it is opened: the absolute path of its file, which must exist.
 * @throws {InputError} when the URL names no store.
 */
export function storePlace(url: string, { baseDir }: Pick<OpenStoreOptions, "baseDir">): string {
  return realpathSync(resolve(baseDir, sqlitePath(url)));
}

function sqlitePath(url: string): string {
  if (/^postgres(ql)?:/.test(url)) {
    throw new InputError(`store: PostgreSQL is not yet supported; use sqlite:path, got ${withoutPassword(url)}`);
  }
  const path = /^sqlite:(?!\/\/[^/])(?<path>.+)$/.exec(url)?.groups?.path;
  if (path === undefined)
    throw new InputError(`store must be sqlite:path, got ${JSON.stringify(withoutPassword(url))}`);
  return path;
}

/** Messages end up in logs; passwords in URLs must not. */
function withoutPassword(url: string): string {
  return url.replace(/:\/\/[^/@]*@/, "://…@");
}
