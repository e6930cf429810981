import { genesis, type TimedSegment } from "../core/audit.ts";
import { WorkerFault } from "../pool/worker-fault.ts";

/** How far a recorder's records have come. */
interface RecorderState {
  readonly worker: number;
  readonly next: number;
  readonly head: string;
}

/**
 * Follows each worker's recorder from segment to segment. Records of a worker that are lost leave a gap which nothing that it records later can
 * follow on from: what it answers after that has no record that could be kept, and counts as lost with its worker.
 */
export class RecorderChains {
  /** By the thread that the recorder is in. */
  readonly #states = new Map<number, RecorderState>();
  /** Threads that have lost records, or may have. */
  readonly #doubtful = new Set<number>();

  /** A task of the thread failed there: perhaps its records were sealed before it did. */
  doubt(thread: number): void {
    this.#doubtful.add(thread);
  }

  /**
   * Takes what a thread says is the next segment of its recorder; what its bytes are, the audit log sees.
   * @throws {WorkerFault} `corrupt` where it is none, so that the records are lost; `ended` where the thread had lost some before, or may have.
   */
  follow(thread: number, audit: unknown): void {
    const state = this.#states.get(thread);
    if (isSegment(audit) && followsOn(audit, state)) {
      const { worker, first, count, head } = audit;
      this.#states.set(thread, { worker, next: first + count, head });
      return;
    }
    const kind = this.#doubtful.has(thread) ? "ended" : "corrupt";
    this.doubt(thread);
    throw new WorkerFault(kind, new TypeError(`its records are lost: ${lossOf(audit, state)}`));
  }
}

/** Whether a value that came from a worker has all that a segment must have. */
export function isSegment(value: unknown): value is TimedSegment {
  if (typeof value !== "object" || value === null) return false;
  const { worker, epoch, first, count, previous, head, bytes } = value as Partial<TimedSegment>;
  const isPlaced = [worker, epoch, first, count].every(isCount) && worker !== 0;
  return isPlaced && typeof previous === "string" && typeof head === "string" && bytes instanceof Uint8Array;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function followsOn({ worker, first, previous }: TimedSegment, state: RecorderState | undefined): boolean {
  if (state === undefined) return first === 0 && previous === genesis;
  return worker === state.worker && first === state.next && previous === state.head;
}

function lossOf(audit: unknown, state: RecorderState | undefined): string {
  if (!isSegment(audit)) return "the answer must hold them, and holds none that can be read";
  const next = state?.next ?? 0;
  return `those that came begin with record ${audit.first} of worker ${audit.worker}, and record ${next} of worker ${state?.worker ?? audit.worker} was to come`;
}
