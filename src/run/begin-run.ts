import type { AuditKey } from "../audit/audit-key.ts";
import type { ResolvedConfig } from "../config/config-schema.ts";
import type { LightningStore } from "../store/lightning-store.ts";
import { storePlace } from "../store/open.ts";
import { advised } from "./advised.ts";
import { AuditTrail } from "./audit-trail.ts";
import type { ResumedRun } from "./resume.ts";
import type { RunDirectory } from "./run-directory.ts";
import { type OpenRunStore, openRunStore } from "./store-thread.ts";
import { openWithinStoreDeadline, withinStoreDeadline } from "./within-deadline.ts";

/**
 * Opens the store with the run in it, and its audit log. The directory is as it was before where that cannot be done.
 * @throws {FaradayError} that says what to do, where something can be done.
 */
export async function beginRun(
  config: ResolvedConfig,
  directory: RunDirectory,
  key: AuditKey,
  openStore: OpenRunStore = openRunStore,
): Promise<Omit<ResumedRun, "earlier"> & { readonly earlier: null }> {
  const baseDir = directory.path;
  let store: LightningStore | undefined;
  try {
    const { deadlines } = config;
    store = await openWithinStoreDeadline(openStore(config.store, { baseDir, outageMs: deadlines.storeMs }), deadlines);
    await withinStoreDeadline(store.beginRun({ id: directory.run, config }), deadlines, "taken a new run");
    directory.writeJson("config.json", config);
    const place = storePlace(config.store, { baseDir });
    const audit = AuditTrail.begin({ config, run: directory.run, store, place, key });
    return { store, audit, epoch: 0, earlier: null };
  } catch (error) {
    await store?.[Symbol.asyncDispose]();
    directory.discard();
    throw advised(error, "begin the run again");
  }
}
