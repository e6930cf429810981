import { fileURLToPath } from "node:url";
import type { EpisodeKey } from "../../src/core/episode.ts";
import type { SqlResult, SqlWorld } from "../../src/core/sql.ts";
import type { SyscallResult } from "../../src/core/syscall.ts";
import type { KernelSession } from "../../src/kernel/kernel-session.ts";
import { KernelSpace, type KernelSpaceOptions } from "../../src/kernel/kernel-space.ts";
import type { SQLPolicyOptions } from "../../src/kernel/policies/sql-policy.ts";

export const shop = fileURLToPath(new URL("shop.sql", import.meta.url));

/** Grants of a support agent: it reads most, changes orders and adds to a few tables. */
export const supportGrants: SQLPolicyOptions = {
  deny: ["DROP", "DELETE"],
  tables: {
    "*": { select: true },
    users: { select: { except: ["password_hash"] } },
    orders: { select: true, insert: true, update: true },
    notes: { select: true, insert: true },
    queue: { select: true, insert: true },
    open_jobs: { select: true, insert: true, update: true },
    settings: { select: true, insert: true, update: true },
    docs: { select: true, insert: true },
    secrets: {},
  },
};

export async function bootShop(options: KernelSpaceOptions = {}): Promise<KernelSpace> {
  const kernel = new KernelSpace({ drivers: { sql: { database: shop } }, ...options });
  await kernel.boot();
  return kernel;
}

export function episodeKey(index: number): EpisodeKey {
  return {
    id: `train-0-0-${index}`,
    phase: "train",
    iteration: 0,
    group: 0,
    index,
    task: "task",
    split: "train",
    seed: index,
    weights: 0,
  };
}

export function query(session: KernelSession, sql: string): SyscallResult {
  const result = session.execute({ syscall: "sql.query", args: { sql } });
  if (result instanceof Promise) throw new Error("sql.query is synchronous");
  return result;
}

/** Rows of a text that must succeed. */
export function rowsOf(session: KernelSession, sql: string): SqlResult["rows"] {
  const { result, error } = query(session, sql);
  if (result === undefined) throw new Error(error);
  return (result as SqlResult).rows;
}

export function digestOf(session: KernelSession): string {
  return (session.world.sql as SqlWorld).digest();
}

export function bytesOf(session: KernelSession): Uint8Array {
  const bytes = session.trust?.snapshot();
  if (bytes === undefined) throw new Error("the session has no database");
  return bytes;
}
