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

export interface RecorderOptions {
  /** Asked at every record, in milliseconds since 1970; without it no times are kept. They never enter the records. */
  readonly clock?: () => number;
  /** Whether calls of one name in a row that were permitted and completed at once, with nothing found, are one record. Default `false`. */
  readonly together?: boolean;
}

/**
 * The kernel's append-only record of every syscall: its intent before the effect, its outcome after. Records are chained
 * lines of canonical JSON, so that equal records are equal bytes; see {@link AuditRecord}. Episodes may interleave. The
 * order of records is fixed as they are made; hashing them into the chain waits for the seal, off the way of the syscall.
 */
export class FlightRecorder {
  readonly #lines: RecordLines;
  readonly #together: boolean;
  /** Episodes that may have calls which are no record yet. */
  readonly #gathering = new Set<EpisodeRecorder>();

  constructor(
    place: { readonly worker: number; readonly epoch: number },
    { clock, together = false }: RecorderOptions = {},
  ) {
    this.#lines = new RecordLines(new RecordChain(place), clock ?? null);
    this.#together = together;
  }

  get worker(): number {
    return this.#lines.chain.worker;
  }

  get epoch(): number {
    return this.#lines.chain.epoch;
  }

  /** How many records were ever made; also the sequence of the next. */
  get count(): number {
    return this.#lines.chain.sequence;
  }

  /**
   * Starts the record of an episode.
   * @param policies Hash of the set of policies that judge it.
   * @param options.recorded `false` only counts, for measurements of what recording costs.
   */
  start(key: EpisodeKey, policies: string, { recorded = true } = {}): EpisodeRecorder {
    const gathering = this.#together ? this.#gathering : null;
    return new EpisodeRecorder(recorded ? this.#lines : null, gathering, { key, policies });
  }

  /** Hands over what was recorded since the last seal, and keeps none of it. */
  seal(): TimedSegment {
    for (const episode of this.#gathering) episode.writeCalls();
    return this.#lines.seal();
  }
}

/** The lines of a recorder, with the time of each where somebody asked for it. */
class RecordLines {
  readonly chain: RecordChain;
  readonly #clock: (() => number) | null;
  readonly #times: number[] = [];

  constructor(chain: RecordChain, clock: (() => number) | null) {
    this.chain = chain;
    this.#clock = clock;
  }

  append(before: string, after: string): void {
    this.chain.appendUnlinked(before, after);
    if (this.#clock !== null) this.#times.push(this.#clock());
  }

  seal(): TimedSegment {
    const segment = this.chain.seal();
    return this.#clock === null ? segment : { ...segment, times: Float64Array.from(this.#times.splice(0)) };
  }
}

/** Calls in a row that are no record yet; the last may still wait for its outcome. */
interface Calls {
  readonly first: number;
  readonly name: string;
  /** JSON of the arguments of those that have completed. */
  readonly args: string[];
  length: number;
}

/** More than so many characters, or calls, are more records than one. */
const callsLengthMax = 32_000;
const callsMax = 1_000;

/** Records one episode. Counts what it recorded, so that it can be compared with what was mediated. */
export class EpisodeRecorder {
  readonly #lines: RecordLines | null;
  readonly #gathering: Set<EpisodeRecorder> | null;
  /** `"episode":…,"epoch":…,"` and `"policies":…,"previous":"`, the same in every record of the episode. */
  readonly #episode: string = "";
  readonly #policies: string = "";
  /** `,"worker":…}` */
  readonly #worker: string = "";
  #steps = 0;
  #violations = 0;
  #calls: Calls | null = null;
  /** Of the newest syscall, while its record waits for what becomes of it. */
  #waiting: { readonly step: number; readonly name: string; readonly args: string } | null = null;
  /** The newest name, and its JSON. */
  #name: unknown;
  #nameJson = "";

  constructor(
    lines: RecordLines | null,
    gathering: Set<EpisodeRecorder> | null,
    { key, policies }: { readonly key: EpisodeKey; readonly policies: string },
  ) {
    this.#lines = lines;
    this.#gathering = gathering;
    if (lines === null) return;
    const { id, seed, task, weights } = key;
    const { epoch, worker } = lines.chain;
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
    if (this.#lines === null) return;
    const args = canonicalJson(syscall?.args);
    const name = this.#nameOf(syscall?.syscall);
    if (this.#gathering === null) this.#writeIntent(step, name, args);
    else {
      this.#waiting = { step, name, args };
      this.#gathering.add(this);
    }
  }

  outcome(step: number, result: SyscallResult): void {
    const { error, outcome, verdict, violations } = result;
    this.#steps++;
    this.#violations += violations.length;
    if (this.#lines === null || (this.#gathering !== null && this.#gather(step, result))) return;
    const why = error === undefined ? "" : `"error":${JSON.stringify(error)},`;
    const broken = violations.length === 0 ? "[]" : canonicalJson(violations);
    this.#append(
      `{${this.#episode}${why}"kind":"outcome","outcome":"${outcome}",`,
      `${this.#sequence()},"step":${step},"verdict":"${verdict}","violations":${broken}`,
    );
  }

  signal(step: number, signal: AgentSignal): void {
    this.writeCalls();
    this.#append(`{${this.#episode}"kind":"signal",`, `${this.#sequence()},"signal":"${signal}","step":${step}`);
  }

  end({ cost, outcome, reward }: RecordedEnd): void {
    this.writeCalls();
    this.#append(
      `{"cost":${canonicalJson(cost)},${this.#episode}"kind":"end","outcome":${JSON.stringify(outcome)},`,
      `"reward":${canonicalJson(reward)},${this.#sequence()},"steps":${this.#steps},"violations":${this.#violations}`,
    );
  }

  /** Makes records of what waits to be one: calls, and the intent of a syscall that is pending. */
  writeCalls(): void {
    const [calls, waiting] = [this.#calls, this.#waiting];
    this.#calls = null;
    this.#waiting = null;
    this.#gathering?.delete(this);
    if (calls !== null) {
      this.#append(
        `{"args":[${calls.args.join(",")}],${this.#episode}"kind":"calls",`,
        `${this.#sequence()},"step":${calls.first},"syscall":${calls.name}`,
      );
    }
    if (waiting !== null) this.#writeIntent(waiting.step, waiting.name, waiting.args);
  }

  /** @returns Whether the newest syscall is one of several that will be one record; else its intent is written. */
  #gather(step: number, { error, outcome, verdict, violations, args }: SyscallResult): boolean {
    const waiting = this.#waiting;
    const isPlain = outcome === "completed" && verdict === "allow" && violations.length === 0;
    if (waiting?.step !== step || !isPlain || error !== undefined || args !== undefined) {
      this.writeCalls();
      return false;
    }
    this.#waiting = null;
    let calls = this.#calls;
    if (
      calls === null ||
      calls.name !== waiting.name ||
      calls.args.length >= callsMax ||
      calls.length > callsLengthMax
    ) {
      this.writeCalls();
      this.#gathering?.add(this);
      calls = { first: step, name: waiting.name, args: [], length: 0 };
      this.#calls = calls;
    }
    calls.args.push(waiting.args);
    calls.length += waiting.args.length;
    return true;
  }

  #writeIntent(step: number, name: string, args: string): void {
    this.#append(
      `{"args":${args},${this.#episode}"kind":"intent",`,
      `${this.#sequence()},"step":${step},"syscall":${name}`,
    );
  }

  #nameOf(name: unknown): string {
    if (name !== this.#name || typeof name !== "string") {
      this.#nameJson = canonicalJson(name);
      this.#name = name;
    }
    return this.#nameJson;
  }

  /** The keys before `policies`, and those after `previous`, both in order. */
  #append(before: string, after: string): void {
    this.#lines?.append(before + this.#policies, `",${after}${this.#worker}`);
  }

  #sequence(): string {
    return `"sequence":${this.#lines?.chain.sequence}`;
  }
}
