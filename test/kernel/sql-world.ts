import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { SqlResult } from "../../src/core/sql.ts";
import type { SyscallResult } from "../../src/core/syscall.ts";
import type { KernelSession } from "../../src/kernel/kernel-session.ts";
import type { SQLPolicyOptions } from "../../src/kernel/policies/sql-policy.ts";
import { bootShop, bytesOf, digestOf, episodeKey, query } from "./shop-kernel.ts";

export const worldFile = fileURLToPath(new URL("sql-world.sql", import.meta.url));

const writable = { select: true, insert: true, update: true } as const;

/** Grants in the world of sql-world.sql. */
export const worldGrants: SQLPolicyOptions = {
  deny: ["DROP", "DELETE"],
  tables: {
    "*": { select: true },
    users: { select: { except: ["password_hash"] } },
    orders: writable,
    notes: { select: true, insert: true },
    gated: writable,
    docs: writable,
    ext: writable,
    cl: writable,
    cld: writable,
    nocs: writable,
    rt: writable,
    synced: writable,
    synced_ft: writable,
    parent: writable,
    kid_null: { select: true, update: true },
    secrets: {},
    hidden_view: {},
    log: { insert: true },
    src: { select: { except: ["hidden"] } },
    staff: { select: { except: ["salary"] }, update: true },
    wr: { select: { except: ["b"] } },
    sv: { select: true },
    auto: { select: true, insert: true },
  },
};

/** What became of one text on the world as it was, under the kernel and, `bare`, without any rule. */
export interface Judged extends SyscallResult {
  readonly changed: boolean;
  /** What it answered and the state that it left, where it completed. */
  readonly world: unknown;
  readonly bareWorld: unknown;
}

export type JudgeText = (sql: string) => Judged;

/** Denied by that rule before any other, with every byte as it was. */
export function expectDenied(judged: Judged, rule: string): void {
  expect(judged).toMatchObject({ outcome: "denied", changed: false });
  expect(judged.violations[0]?.rule).toBe(rule);
}

/** Completed without a violation, as without a kernel. */
export function expectHarmless(judged: Judged): void {
  expect(judged).toMatchObject({ outcome: "completed", violations: [] });
  expect(judged.world).toEqual(judged.bareWorld);
}

export async function bootWorld(): Promise<JudgeText> {
  const kernel = await bootShop({
    drivers: { sql: { database: worldFile } },
    policies: [{ type: "sql", ...worldGrants }],
  });
  return (sql) => {
    using session = kernel.open({ episode: episodeKey(0) });
    using bare = kernel.open({ episode: episodeKey(0), governed: false });
    const before = bytesOf(session);
    const result = query(session, sql);
    const changed = Buffer.compare(before, bytesOf(session)) !== 0;
    if (result.outcome !== "completed") return { ...result, changed, world: null, bareWorld: null };
    return { ...result, changed, world: stateOf(session, result), bareWorld: stateOf(bare, query(bare, sql)) };
  };
}

function stateOf(session: KernelSession, { result }: SyscallResult) {
  const { columns, rows } = result as SqlResult;
  // A program lists where things lie in memory.
  const isListing = columns.includes("opcode");
  return { columns, rows: isListing ? [] : rows, digest: digestOf(session) };
}
