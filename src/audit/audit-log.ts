import { type AgentSignal, type AuditSegment, genesis, type SealedSegment } from "../core/audit.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import type { Phase } from "../core/episode.ts";
import { FaradayError } from "../core/errors.ts";
import { RecordChain } from "../core/record-chain.ts";
import { atOnce, type Steps } from "../core/steps.ts";
import { inOrder, placeOf } from "./audit-records.ts";
import { openCheckpoint, type SignedCheckpoint, type Signer, signCheckpoint } from "./checkpoint.ts";
import { CompactRange } from "./compact-range.ts";
import { knownHashes } from "./line-hashes.ts";
import { knownLinks } from "./line-links.ts";
import { isOriginOf, newOrigin } from "./log-origin.ts";

/** A segment with its place in the tree. */
export interface LoggedSegment extends AuditSegment {
  /** Position of its first record among the leaves of the tree. */
  readonly leaf: number;
}

/** What a batch of rollouts left, for the log. */
export interface LogBatch {
  /** Segments of all workers in any order; those of one recorder follow on from what was appended before. */
  readonly segments: readonly AuditSegment[];
  readonly phase: Phase;
  readonly iteration: number;
  /** Version of the weights that acted. */
  readonly weights: number;
  /** How many episodes the batch has, and SHA-256 over what is stored of them besides their records. */
  readonly episodes: number;
  readonly digest: string;
  /** SHA-256 of the weights that the batch led to, where it was learned from. */
  readonly update?: string;
}

/** What must be stored, all of it or nothing: the log has moved on. */
export interface AppendedBatch {
  /** In tree order: the workers' by worker, epoch and sequence, the main process's own last. */
  readonly segments: readonly LoggedSegment[];
  /** Covers them all. */
  readonly checkpoint: SignedCheckpoint;
}

export interface LogOptions {
  readonly run: string;
  readonly signer: Signer;
  /** Hash of the set of policies that the run has, for the main process's own records. */
  readonly policies: string;
}

/** What a log is taken up from. */
export interface StoredLog {
  /** All segments, in tree order. */
  readonly segments: Iterable<LoggedSegment> | AsyncIterable<LoggedSegment>;
  /** Note of the last checkpoint. */
  readonly checkpoint: string;
  /** Epoch of the main process's new recorder: one that it never had. */
  readonly epoch: number;
}

interface RecorderState {
  next: number;
  head: string;
}

/**
 * The main process's side of a run's audit log: merges what workers sealed into one RFC 6962 tree, records as worker 0 what became of
 * it, and signs the tree after every batch. Keeps the roots of subtrees alone; the records are the store's.
 */
export class AuditLog {
  readonly origin: string;
  readonly #options: LogOptions;
  readonly #chain: RecordChain;
  #tree: CompactRange;
  readonly #recorders: Map<string, RecorderState>;
  #checkpoint: SignedCheckpoint;

  private constructor(
    options: LogOptions,
    state: {
      origin: string;
      epoch: number;
      tree: CompactRange;
      recorders: Map<string, RecorderState>;
    },
  ) {
    this.#options = options;
    this.origin = state.origin;
    this.#chain = new RecordChain({ worker: 0, epoch: state.epoch });
    this.#tree = state.tree;
    this.#recorders = state.recorders;
    this.#checkpoint = this.#sign();
  }

  /** A new log, under an origin that no other has. */
  static begin(options: LogOptions): AuditLog {
    const origin = newOrigin(options.run);
    return new AuditLog(options, { origin, epoch: 0, tree: new CompactRange(), recorders: new Map() });
  }

  /**
   * Goes on with a stored log, after making sure that it is the one that was signed: its last checkpoint by this key, over exactly
   * these records.
   * @throws {FaradayError} where it is not.
   */
  static async resume(options: LogOptions, stored: StoredLog): Promise<AuditLog> {
    const opened = openCheckpoint(stored.checkpoint, options.signer.publicKey);
    if (opened.status !== "signed") throw unfit(options.run, opened.message);
    const { origin, size, root } = opened.checkpoint;
    if (!isOriginOf(origin, options.run)) throw unfit(options.run, `its last checkpoint is of ${origin}`);
    const tree = new CompactRange();
    const recorders = new Map<string, RecorderState>();
    for await (const segment of stored.segments) {
      for (const leaf of checkedLeaves(segment, recorders)) tree.append(leaf);
    }
    if (tree.size !== size || tree.root() !== root) {
      throw unfit(options.run, `signed are ${size} records with root ${root}, stored ${tree.size} with ${tree.root()}`);
    }
    if (recorders.has(`0 ${stored.epoch}`)) throw new RangeError(`worker 0 had epoch ${stored.epoch} before`);
    return new AuditLog(options, { origin, epoch: stored.epoch, tree, recorders });
  }

  /** The tree as it was last signed; at the beginning the empty one. */
  get checkpoint(): SignedCheckpoint {
    return this.#checkpoint;
  }

  /**
   * Records a signal to an episode whose worker cannot record it any more.
   * @param step How many syscalls the episode is known to have made.
   */
  signal(episode: string, step: number, signal: AgentSignal): void {
    this.#record({ kind: "signal", episode, step, signal });
  }

  /**
   * Merges a batch, records it, and signs the tree. When it throws, nothing was appended.
   * @throws {FaradayError} where a segment does not follow on, or its bytes are not what it says of them.
   */
  append(batch: LogBatch): AppendedBatch {
    return atOnce(this.appending(batch));
  }

  /** As {@link append}, in steps: until the last of them the log is as it was. No other batch may be appended meanwhile. */
  *appending(batch: LogBatch): Steps<AppendedBatch> {
    // Checked against copies, so that a segment that does not fit leaves the log as it was.
    const before = this.#tree;
    const tree = before.copy();
    const recorders = new Map([...this.#recorders].map(([key, state]) => [key, { ...state }]));
    const segments = inOrder(batch.segments).filter(({ count, bytes }) => count > 0 || bytes.length > 0);
    const leaves = segments.map((segment) => {
      if (segment.worker === 0) throw new FaradayError(`${placeOf(segment)}: worker 0 is the main process`);
      return checkedLeaves(segment, recorders);
    });
    const logged: LoggedSegment[] = [];
    for (const [index, segment] of segments.entries()) {
      logged.push({ ...segment, leaf: tree.size });
      yield* growing(tree, leaves[index] as readonly string[]);
    }
    if (this.#tree !== before) throw new Error("AuditLog.append: another batch was appended meanwhile");
    this.#recordBatch(batch, segments);
    const own = this.#chain.seal();
    logged.push({ ...own, leaf: tree.size });
    for (const leaf of checkedLeaves(own, recorders)) tree.append(leaf);
    this.#tree = tree;
    for (const [key, state] of recorders) this.#recorders.set(key, state);
    this.#checkpoint = this.#sign();
    return { segments: logged, checkpoint: this.#checkpoint };
  }

  #recordBatch(batch: LogBatch, segments: readonly AuditSegment[]): void {
    const { phase, iteration, weights, episodes, digest, update } = batch;
    this.#record({ kind: "batch", phase, iteration, weights, episodes, digest, segments: segments.map(sealOf) });
    if (update !== undefined) this.#record({ kind: "update", iteration, weights: update });
  }

  #record(entry: Readonly<Record<string, unknown>>): void {
    const { worker, epoch, sequence, previous } = this.#chain;
    const { policies } = this.#options;
    this.#chain.append(canonicalJson({ ...entry, worker, epoch, sequence, previous, policies }));
  }

  #sign(): SignedCheckpoint {
    const { origin } = this;
    return signCheckpoint({ origin, size: this.#tree.size, root: this.#tree.root() }, this.#options.signer);
  }
}

/** Leaves of a step: some 2 ms. */
const stepLeaves = 2_000;

function* growing(tree: CompactRange, leaves: readonly string[]): Steps<void> {
  for (const [index, leaf] of leaves.entries()) {
    if (index > 0 && index % stepLeaves === 0) yield;
    tree.append(leaf);
  }
}

/** What names a segment without its bytes. */
export function sealOf({ worker, epoch, first, count, previous, head }: SealedSegment): SealedSegment {
  return { worker, epoch, first, count, previous, head };
}

/** The leaf hashes of a segment that follows on from the state of its recorder, which moves on. */
function checkedLeaves(segment: AuditSegment, recorders: Map<string, RecorderState>): readonly string[] {
  const key = `${segment.worker} ${segment.epoch}`;
  const state = recorders.get(key) ?? { next: 0, head: genesis };
  if (segment.first !== state.next || segment.previous !== state.head) {
    throw new FaradayError(
      `${placeOf(segment)} must follow record ${state.next - 1} (${state.head}), got one that follows ${segment.previous}`,
    );
  }
  const { hashes, complete } = knownHashes(segment.bytes);
  if (!complete || hashes.length !== segment.count || (hashes.at(-1) ?? segment.previous) !== segment.head) {
    throw new FaradayError(
      `${placeOf(segment)} must hold ${segment.count} records up to ${segment.head}, got ${hashes.length} up to ${hashes.at(-1)}`,
    );
  }
  // Where in the line, verification looks: this needs no parsing.
  if (knownLinks(segment.bytes).includes(-1)) {
    throw new FaradayError(`${placeOf(segment)} was changed since it was recorded: its records do not name each other`);
  }
  recorders.set(key, { next: segment.first + segment.count, head: segment.head });
  return hashes;
}

function unfit(run: string, why: string): FaradayError {
  return new FaradayError(
    `the audit log of ${run} is not the one that was signed: ${why}; see faraday audit verify ${run}`,
  );
}
