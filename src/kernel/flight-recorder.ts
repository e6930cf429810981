import type { AgentSignal, TimedSegment } from "../core/audit.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import type { EpisodeKey } from "../core/episode.ts";
import { RecordChain } from "../core/record-chain.ts";
import type { Syscall, SyscallResult } from "../core/syscall.ts";

/** How an episode ended, for the record. */
export interface RecordedEnd {
  readonly outcome: string;
  readonly reward: number;
  readonly cost: number;
}

/**
 * The kernel's append-only record of every syscall: its intent before the effect, its outcome after. Records are chained
 * lines of canonical JSON, so that equal records are equal bytes; see {@link AuditRecord}. Episodes may interleave. The
 * order of records is fixed as they are made; hashing them into the chain waits for the seal, off the way of the syscall.
 */
export class FlightRecorder {
  readonly #chain: RecordChain;
  readonly #open: OpenRecords;

  /** @param clock Asked at every record, in milliseconds since 1970; without it no times are kept. They never enter the records. */
  constructor(place: { readonly worker: number; readonly epoch: number }, clock?: () => number) {
    this.#chain = new RecordChain(place);
    this.#open = { sequence: 0, before: [], after: [], clock: clock ?? null, times: [] };
  }

  get worker(): number {
    return this.#chain.worker;
  }

  get epoch(): number {
    return this.#chain.epoch;
  }

  /** How many records were ever made; also the sequence of the next. */
  get count(): number {
    return this.#open.sequence;
  }

  /**
   * Starts the record of an episode.
   * @param policies Hash of the set of policies that judge it.
   */
  start(key: EpisodeKey, policies: string): EpisodeRecorder {
    return new EpisodeRecorder(this.#chain, this.#open, { key, policies });
  }

  /** Hands over what was recorded since the last seal, and keeps none of it. */
  seal(): TimedSegment {
    const { before, after, clock, times } = this.#open;
    const chain = this.#chain;
    for (let index = 0; index < before.length; index++)
      chain.appendLinked(before[index] as string, after[index] as string);
    before.length = 0;
    after.length = 0;
    const segment = chain.seal();
    return clock === null ? segment : { ...segment, times: Float64Array.from(times.splice(0)) };
  }
}

/** Records that are not chained yet: of each, what comes before the hash of the record before it, and what after. */
interface OpenRecords {
  /** Of the next record. */
  sequence: number;
  readonly before: string[];
  readonly after: string[];
  readonly clock: (() => number) | null;
  readonly times: number[];
}

/** Records one episode. Counts what it recorded, so that it can be compared with what was mediated. */
export class EpisodeRecorder {
  readonly #open: OpenRecords;
  /** `"episode":…,"epoch":…,"` and `"policies":…,"previous":"`, the same in every record of the episode. */
  readonly #episode: string;
  readonly #policies: string;
  /** `,"worker":…}` */
  readonly #worker: string;
  #steps = 0;
  #violations = 0;

  constructor(
    { epoch, worker }: RecordChain,
    open: OpenRecords,
    { key, policies }: { readonly key: EpisodeKey; readonly policies: string },
  ) {
    const { id, seed, task, weights } = key;
    this.#open = open;
    this.#episode = `"episode":${JSON.stringify(id)},"epoch":${epoch},`;
    this.#worker = `,"worker":${worker}}`;
    this.#policies = `"policies":${JSON.stringify(policies)},"previous":"`;
    this.#append(
      `{${this.#episode}"kind":"start",`,
      `"seed":${seed},${this.#sequence()},"task":${JSON.stringify(task)},"weights":${weights}`,
    );
  }

  /** Outcomes recorded so far, and the violations in them. */
  get counts(): { readonly steps: number; readonly violations: number } {
    return { steps: this.#steps, violations: this.#violations };
  }

  intent(step: number, syscall: Syscall): void {
    const args = canonicalJson(syscall?.args);
    const name = canonicalJson(syscall?.syscall);
    this.#append(
      `{"args":${args},${this.#episode}"kind":"intent",`,
      `${this.#sequence()},"step":${step},"syscall":${name}`,
    );
  }

  outcome(step: number, { error, outcome, verdict, violations }: SyscallResult): void {
    const why = error === undefined ? "" : `"error":${JSON.stringify(error)},`;
    const broken = violations.length === 0 ? "[]" : canonicalJson(violations);
    this.#steps++;
    this.#violations += violations.length;
    this.#append(
      `{${this.#episode}${why}"kind":"outcome","outcome":"${outcome}",`,
      `${this.#sequence()},"step":${step},"verdict":"${verdict}","violations":${broken}`,
    );
  }

  signal(step: number, signal: AgentSignal): void {
    this.#append(`{${this.#episode}"kind":"signal",`, `${this.#sequence()},"signal":"${signal}","step":${step}`);
  }

  end({ cost, outcome, reward }: RecordedEnd): void {
    this.#append(
      `{"cost":${canonicalJson(cost)},${this.#episode}"kind":"end","outcome":${JSON.stringify(outcome)},`,
      `"reward":${canonicalJson(reward)},${this.#sequence()},"steps":${this.#steps},"violations":${this.#violations}`,
    );
  }

  /** The keys before `policies`, and those after `previous`, both in order. */
  #append(before: string, after: string): void {
    this.#open.before.push(before + this.#policies);
    this.#open.after.push(`",${after}${this.#worker}`);
    if (this.#open.clock !== null) this.#open.times.push(this.#open.clock());
    this.#open.sequence++;
  }

  #sequence(): string {
    return `"sequence":${this.#open.sequence}`;
  }
}
