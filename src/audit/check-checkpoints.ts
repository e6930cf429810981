import type { AuditFinding, FindingCode } from "./audit-finding.ts";
import { type OpenedCheckpoint, openCheckpoint, type SignedCheckpoint } from "./checkpoint.ts";
import { isOriginOf } from "./log-origin.ts";
import type { StoredAuditLog } from "./verify-log.ts";

/** What the checkpoints of a log are worth. */
export interface CheckedCheckpoints {
  /** Those whose signature holds and that are of this log, in the order given. */
  readonly checkpoints: readonly (SignedCheckpoint & { readonly index: number })[];
  /** How many others there are: what is said of one is not said again of what it may have covered. */
  readonly bad: number;
}

type Log = Pick<StoredAuditLog, "run" | "checkpoints" | "key">;

/** Opens every checkpoint: form, signature, origin, and sizes that never fall. */
export function checkCheckpoints(log: Log, onFinding: (finding: AuditFinding) => void): CheckedCheckpoints {
  const checkpoints: (SignedCheckpoint & { readonly index: number })[] = [];
  /** What is wrong with all checkpoints alike is said once. */
  const told = new Set<string>();
  log.checkpoints.forEach((note, index) => {
    const opened = openCheckpoint(note, log.key.publicKey);
    const claimed = opened.status === "signed" ? opened.checkpoint : opened.claimed;
    const fault = opened.status === "signed" ? faultOf(log, opened.checkpoint, checkpoints) : unopened(opened);
    if (fault === null && opened.status === "signed") checkpoints.push({ ...opened.checkpoint, index });
    if (fault === null || told.has(fault.message)) return;
    if (fault.everywhere) told.add(fault.message);
    const { code, message } = fault;
    const leaf = claimed ? { leaf: claimed.size } : {};
    onFinding({ code, message: `checkpoint ${index}: ${message}`, checkpoint: index, ...leaf });
  });
  return { checkpoints, bad: log.checkpoints.length - checkpoints.length };
}

interface Fault {
  readonly code: FindingCode;
  readonly message: string;
  /** Whether it is likely to be so of all of them. */
  readonly everywhere: boolean;
}

function unopened({ status, message }: Exclude<OpenedCheckpoint, { status: "signed" }>): Fault {
  const codes = {
    malformed: "checkpoint-malformed",
    forged: "checkpoint-signature",
    unsigned: "checkpoint-key",
  } as const;
  return { code: codes[status], message, everywhere: status === "unsigned" };
}

function faultOf(log: Log, checkpoint: SignedCheckpoint, before: readonly SignedCheckpoint[]): Fault | null {
  const strange = originFault(log, checkpoint, before[0]);
  if (strange !== null) return { code: "checkpoint-origin", message: strange, everywhere: true };
  const size = before.at(-1)?.size ?? 0;
  if (checkpoint.size >= size) return null;
  return { code: "checkpoint-order", message: `size ${checkpoint.size} comes after ${size}`, everywhere: false };
}

function originFault({ run, key }: Log, { origin }: SignedCheckpoint, first?: SignedCheckpoint): string | null {
  if (key.origin !== undefined && key.origin !== origin)
    return `expected the log of the key, ${key.origin}, got ${origin}`;
  if (!isOriginOf(origin, run)) return `expected a log of run ${run}, got ${origin}`;
  if (first && first.origin !== origin) return `expected ${first.origin} as before, got ${origin}`;
  return null;
}
