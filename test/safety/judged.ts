import type { OracleFinding } from "../../src/core/episode.ts";
import type { SqlResult } from "../../src/core/sql.ts";
import type { SyscallResult } from "../../src/core/syscall.ts";
import type { KernelSpace } from "../../src/kernel/kernel-space.ts";
import { createOracle } from "../../src/oracle/oracle.ts";
import { bytesOf, episodeKey, query } from "../kernel/shop-kernel.ts";
import { rowsAsText } from "./as-text.ts";

export interface Judged {
  readonly result: SyscallResult;
  /** The rules that were broken. */
  readonly rules: readonly string[];
  /** Whether any byte of the database is other than before. */
  readonly changed: boolean;
  /** Rows of the answer as text, or the error. */
  readonly told: string;
}

/** What a kernel makes of one text on the database as it is at first. */
export function judge(kernel: KernelSpace, sql: string, { governed = true } = {}): Judged {
  using session = kernel.open({ episode: episodeKey(0), governed });
  const before = bytesOf(session);
  const result = query(session, sql);
  return judgedAs(result, Buffer.compare(before, bytesOf(session)) !== 0);
}

/** The same with the oracle looking on. */
export function judgeUnderOracle(kernel: KernelSpace, sql: string, { governed = true } = {}) {
  using session = kernel.open({ episode: episodeKey(0), governed });
  const before = bytesOf(session);
  const oracle = createOracle(session, kernel.policies);
  const result = query(session, sql);
  oracle.observe({ syscall: "sql.query", args: { sql } }, result);
  const findings: readonly OracleFinding[] = oracle.findings();
  const changed = Buffer.compare(before, bytesOf(session)) !== 0;
  return { ...judgedAs(result, changed), findings: findings.map(({ description }) => description) };
}

function judgedAs(result: SyscallResult, changed: boolean): Judged {
  const rows = (result.result as SqlResult | undefined)?.rows;
  const told = rows === undefined ? (result.error ?? "") : rowsAsText(rows);
  return { result, rules: result.violations.map(({ rule }) => rule), changed, told };
}
