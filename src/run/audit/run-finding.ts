import type { AuditFinding, FindingCode } from "../../audit/audit-finding.ts";

/** Kinds of faults of what is stored beside the records of a log, or refers to it. */
export const runFindingCodes = [
  "batch-unrecorded",
  "batch-unstored",
  "batch-changed",
  "batch-digest",
  "metric-changed",
  "episode-changed",
  "episode-added",
  "episode-deleted",
  "violation-changed",
  "span-changed",
  "policies-changed",
  "config-changed",
  "weights-changed",
  "weights-tree",
  "report-changed",
] as const;
export type RunFindingCode = (typeof runFindingCodes)[number];

/** One fault of a run: what is wrong, and where as far as that is known. */
export type RunFinding = Omit<AuditFinding, "code"> & { readonly code: FindingCode | RunFindingCode };

/** Receives faults as they are found. */
export type OnFinding = (finding: RunFinding) => void;
