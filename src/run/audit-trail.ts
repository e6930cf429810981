import type { AuditKey } from "../audit/audit-key.ts";
import { AuditLog } from "../audit/audit-log.ts";
import { recordsOf } from "../audit/audit-records.ts";
import type { Checkpoint, SignedCheckpoint } from "../audit/checkpoint.ts";
import { type KnownHead, KnownHeads } from "../audit/known-heads.ts";
import type { ResolvedConfig } from "../config/config-schema.ts";
import type { AuditSegment, TimedSegment } from "../core/audit.ts";
import { FaradayError } from "../core/errors.ts";
import { inTurns, ownTurn } from "../core/steps.ts";
import { KernelSpace } from "../kernel/kernel-space.ts";
import { digesting } from "../store/batch-digest.ts";
import type { KeptWeights } from "../store/kept-weights.ts";
import type { BatchRecord, LightningStore, StoredCheckpoint, TreeSegment } from "../store/lightning-store.ts";
import { eachWithinStoreDeadline, withinStoreDeadline } from "./within-deadline.ts";

export interface AuditTrailParts {
  readonly config: ResolvedConfig;
  readonly run: string;
  readonly store: LightningStore;
  /** What names the store outside of it. */
  readonly place: string;
  readonly key: AuditKey;
  /** Where what was signed is known outside the store; the user's own folder where it is absent. */
  readonly heads?: KnownHeads;
}

/**
 * A run's way into its store: nothing is stored but with its records in the signed tree, and what was signed is known outside
 * the store once it is stored.
 */
export class AuditTrail {
  readonly #parts: AuditTrailParts;
  readonly #log: AuditLog;
  readonly #heads: KnownHeads;
  #stored: Checkpoint;

  /** @throws {InputError} when the head cannot be kept outside the store. */
  static begin(parts: AuditTrailParts): AuditTrail {
    const policies = new KernelSpace(parts.config.kernel).policySetHash;
    const trail = new AuditTrail(parts, AuditLog.begin({ run: parts.run, signer: parts.key, policies }));
    trail.#heads.begin(trail.#head());
    return trail;
  }

  /**
   * Goes on with a run's log, after making sure that it is the one that was signed, and no older than what is known of it outside.
   * @param epoch Of the main process's new recorder.
   * @returns `updates`: SHA-256 of the weights after each iteration, as the log has them; 0 is the base policy.
   * @throws {FaradayError} where it is not.
   */
  static async resume(
    parts: AuditTrailParts,
    epoch: number,
  ): Promise<{ readonly trail: AuditTrail; readonly updates: ReadonlyMap<number, string> }> {
    const { run, store, place, config } = parts;
    const { deadlines } = config;
    const signed = await withinStoreDeadline(store.checkpoints(run), deadlines, "told what was signed");
    checkKnown(signed, (parts.heads ?? new KnownHeads()).get({ place, run }), run);
    const last = signed.at(-1);
    const updates = new Map<number, string>();
    if (last === undefined) return { trail: AuditTrail.begin(parts), updates };
    const policies = new KernelSpace(parts.config.kernel).policySetHash;
    const tree = eachWithinStoreDeadline(store.auditTree(run), deadlines, "told the next of its records");
    const segments = withUpdates(tree, updates);
    const log = await AuditLog.resume({ run, signer: parts.key, policies }, { segments, checkpoint: last.note, epoch });
    const trail = new AuditTrail(parts, log);
    trail.#heads.advance(trail.#head());
    return { trail, updates };
  }

  private constructor(parts: AuditTrailParts, log: AuditLog) {
    this.#parts = parts;
    this.#heads = parts.heads ?? new KnownHeads();
    this.#log = log;
    this.#stored = treeOf(log.checkpoint);
  }

  /** The tree of what is stored, as it was signed last. */
  get tree(): Checkpoint {
    return this.#stored;
  }

  /**
   * Stores a batch with its records.
   * @param update SHA-256 of the weights that the batch led to, where it was learned from.
   * @throws {FaradayError} where they do not follow from what is stored, or are not safely stored; the run must end then.
   */
  async store(
    batch: Omit<BatchRecord, "run" | "audit" | "emitViolations">,
    { segments, update }: { readonly segments: readonly TimedSegment[]; readonly update?: string | undefined },
  ): Promise<void> {
    const { config, run, store } = this.#parts;
    const { phase, iteration, weights, episodes } = batch;
    // Between its longer parts the main thread gives workers their next tasks.
    await ownTurn();
    const digest = await inTurns(digesting(batch));
    await ownTurn();
    // Their workers could not: they were ended, or never had them.
    for (const { key, worker, outcome } of episodes) {
      if ((outcome === "killed" || outcome === "timed-out") && worker === 0) this.#log.signal(key.id, 0, "SIGKILL");
    }
    const audit = await inTurns(
      this.#log.appending({
        ...{
          segments: segments.map(untimed),
          phase,
          iteration,
          weights,
          episodes: episodes.length,
          digest,
        },
        ...(update === undefined ? {} : { update }),
      }),
    );
    await ownTurn();
    await store.storeBatch({ ...batch, run, audit, emitViolations: config.runner.emitViolations });
    this.#stored = treeOf(audit.checkpoint);
    this.#heads.advance(this.#head());
  }

  /** Makes known where weights of the run lie as a checkpoint. */
  async storeWeights(weights: Omit<KeptWeights, "run">): Promise<void> {
    const { run, store } = this.#parts;
    await store.storeWeights({ run, ...weights });
  }

  #head(): KnownHead {
    const { place, run } = this.#parts;
    return { place, run, ...this.#stored };
  }
}

/** A store that was put back to an older state is consistent in itself. */
function checkKnown(signed: readonly StoredCheckpoint[], known: KnownHead | null, run: string): void {
  if (known === null || known.size === 0) return;
  if (signed.some(({ size, root }) => size === known.size && root === known.root)) return;
  throw new FaradayError(
    `the audit log of ${run} was signed with ${known.size} records and root ${known.root}, and the store does not hold that tree; see faraday audit verify`,
  );
}

/** Passes segments on, and takes from them what the main process recorded of updates. */
async function* withUpdates(
  segments: AsyncIterable<TreeSegment>,
  updates: Map<number, string>,
): AsyncGenerator<TreeSegment> {
  for await (const segment of segments) {
    yield segment;
    if (segment.worker !== 0) continue;
    for (const record of recordsOf(segment)) {
      if (record.kind === "update") updates.set(record.iteration, record.weights);
    }
  }
}

function untimed({ times: _, ...segment }: TimedSegment): AuditSegment {
  return segment;
}

function treeOf({ origin, size, root }: SignedCheckpoint): Checkpoint {
  return { origin, size, root };
}
