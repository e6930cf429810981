import { loadAuditKey } from "../../src/audit/audit-key.ts";
import { KnownHeads } from "../../src/audit/known-heads.ts";
import { type RunVerification, verifyRun } from "../../src/run/audit/verify-run.ts";
import type { LightningStore } from "../../src/store/lightning-store.ts";
import { openStore, storePlace } from "../../src/store/open.ts";

/** What `faraday audit verify` does with the run in a directory. */
export async function verifiedRun(store: LightningStore, directory: string): Promise<RunVerification> {
  const [run] = await store.runs();
  if (run === undefined) throw new Error("the store holds no run");
  const place = storePlace("sqlite:faraday.db", { baseDir: directory });
  const knownHead = new KnownHeads().get({ place, run: run.id });
  return await verifyRun({ store, run, directory, key: loadAuditKey(), knownHead, findingsMax: 5 });
}

export function findingsOf({ findings }: RunVerification): string[] {
  return findings.map((finding) => `audit verify: ${JSON.stringify(finding)}`);
}

/**
 * Looks at what a process has left, however it ended.
 * @throws Error where the store does not open, or verification finds something.
 */
export async function checkLeftovers(directory: string): Promise<void> {
  await using store = await openStore("sqlite:faraday.db", { baseDir: directory, mustExist: true });
  const findings = findingsOf(await verifiedRun(store, directory));
  if (findings.length > 0) throw new Error(`left behind: ${findings.join("; ")}`);
}
