import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { AuditSegment } from "../core/audit.ts";
import { InputError, messageOf } from "../core/errors.ts";
import { type Logger, stderrLogger } from "../core/logger.ts";
import { FlightRecorderAdapter } from "./flight-recorder-adapter.ts";
import { FlightLog, type FlightSource, type SeenEntry } from "./flight-source.ts";
import { writeGuarded } from "./guarded-file.ts";
import type { LightningSpan } from "./lightning-span.ts";
import type { LightningStore } from "./lightning-store.ts";
import { type Redact, redactSecrets } from "./redact.ts";
import { spanOfEntry } from "./span-maker.ts";
import { SpanOutbox, type SpanReceiver } from "./span-outbox.ts";

const emitterOptions = z.strictObject({
  includePolicyChecks: z.boolean().default(true),
  includeSignals: z.boolean().default(true),
  includeToolCalls: z.boolean().default(true),
  traceIdPrefix: z.string().default("agentos"),
  attemptsMax: z.int().min(1).max(100).default(3),
  spillFile: z.string().min(1).default("faraday-unsent-spans.jsonl"),
});

export interface FlightRecorderEmitterOptions extends z.input<typeof emitterOptions> {
  /** Takes secrets out of every text. Default: those of well-known shapes. */
  readonly redact?: Redact;
  /** Time of entries without one: flight records have no clock, so that the same seed gives the same bytes. */
  readonly now?: () => Date;
  readonly logger?: Logger;
}

/** Over all spans of the recorder. */
export interface ViolationSummary {
  readonly totalEntries: number;
  readonly totalViolations: number;
  readonly violationRate: number;
  /** Violations by policy. */
  readonly policiesViolated: Readonly<Record<string, number>>;
}

export interface EmitterStats {
  /** Spans that went out: from getNewSpans or stream, or into a store. */
  readonly emittedCount: number;
  /** Entries that getNewSpans has passed. */
  readonly lastPosition: number;
  /** Segments or entries that could not be converted. */
  readonly skippedCount: number;
  /** Spans that no store took, kept in the spill file. */
  readonly spilledCount: number;
}

/** Any store: of spans one by one, or a LightningStore. */
export type EmitterStore = SpanReceiver | Pick<LightningStore, "importSpans">;

/** Turns flight-recorder entries into spans, for a store, a file or a stream. */
export class FlightRecorderEmitter {
  readonly #source: FlightSource;
  readonly #options: z.output<typeof emitterOptions>;
  readonly #redact: Redact;
  readonly #logger: Logger;
  readonly #log: FlightLog;
  readonly #outbox: SpanOutbox;
  readonly #unconverted = new Set<unknown>();
  #sending: Promise<unknown> = Promise.resolve();
  #lastPosition = 0;
  #emitted = 0;

  /** @throws {InputError} on unknown or impossible options. */
  constructor(source: FlightSource, { redact, now, logger, ...rest }: FlightRecorderEmitterOptions = {}) {
    const parsed = emitterOptions.safeParse(rest);
    if (!parsed.success) throw new InputError(`FlightRecorderEmitter: ${z.prettifyError(parsed.error)}`);
    this.#source = source;
    this.#options = { ...parsed.data, spillFile: resolve(parsed.data.spillFile) };
    this.#redact = redact ?? redactSecrets;
    this.#logger = logger ?? stderrLogger;
    this.#log = new FlightLog(source, { now: now ?? (() => new Date()), skipped: (error) => this.#skip(error, error) });
    this.#outbox = new SpanOutbox({ ...this.#options, logger: this.#logger });
  }

  /** The segments that the entries came from; of a live recorder, which this has sealed, the only copy. */
  get segments(): readonly AuditSegment[] {
    return this.#log.segments;
  }

  /** The spans of all entries. */
  getSpans(): readonly LightningSpan[] {
    return this.#convert(this.#log.read(), 0);
  }

  /** The spans of the entries that came since the last call; earlier ones are not looked at again. */
  getNewSpans(): readonly LightningSpan[] {
    const start = this.#lastPosition;
    const entries = this.#log.read();
    this.#lastPosition = entries.length;
    const spans = this.#convert(entries.slice(start), start);
    this.#emitted += spans.length;
    return spans;
  }

  /**
   * Hands all spans to a store, each once: to `emitSpan` or `addSpan` one by one, or to `importSpans` whole episodes in the form of the
   * LightningStore. What fails is tried again, kept on disk, logged, and not counted. Never rejects.
   * @returns How many spans the store took.
   */
  async emitToStore(store: EmitterStore): Promise<number> {
    // One after the other, so that no span is sent twice.
    const sent = this.#sending.then(() => this.#send(store)).catch((error) => this.#unsent(error));
    this.#sending = sent;
    const count = await sent;
    this.#emitted += count;
    return count;
  }

  /**
   * Writes all spans as a JSON array, mode 0600, following no symbolic link.
   * @returns How many.
   * @throws {FaradayError} where the place is not safe, or cannot be written.
   */
  exportToFile(path: string): number {
    const spans = this.getSpans();
    writeGuarded(
      path,
      `${JSON.stringify(
        spans.map((span) => span.toDict()),
        null,
        2,
      )}\n`,
      "replace",
    );
    return spans.length;
  }

  /**
   * New spans as they come. An abort drains what is there and ends it; without a signal, the consumer ends it by leaving its loop.
   * @param options `pollMs`: time between two looks. Default 100.
   */
  async *stream(
    options: { readonly signal?: AbortSignal; readonly pollMs?: number } = {},
  ): AsyncGenerator<LightningSpan> {
    const { signal, pollMs = 100 } = options;
    for (;;) {
      const ending = signal?.aborted === true;
      yield* this.getNewSpans();
      if (ending) return;
      await sleep(pollMs, undefined, signal === undefined ? {} : { signal }).catch(() => {});
    }
  }

  getViolationSummary(): ViolationSummary {
    const spans = this.getSpans();
    const violated = spans.filter(({ attributes }) => attributes["agent_os.policy_violated"] === true);
    const policies = Map.groupBy(violated, ({ attributes }) => String(attributes["agent_os.policy_name"]));
    return {
      totalEntries: spans.length,
      totalViolations: violated.length,
      violationRate: violated.length / Math.max(spans.length, 1),
      policiesViolated: Object.fromEntries([...policies].map(([policy, each]) => [policy, each.length])),
    };
  }

  getStats(): EmitterStats {
    return {
      emittedCount: this.#emitted,
      lastPosition: this.#lastPosition,
      skippedCount: this.#unconverted.size,
      spilledCount: this.#outbox.spilledCount,
    };
  }

  async #send(store: EmitterStore): Promise<number> {
    // Ours has an addSpan too, for spans of rollouts in the queue.
    if ("importSpans" in store) {
      if (!("entries" in this.#source)) return this.#import(store);
    } else if (typeof store.emitSpan === "function" || typeof store.addSpan === "function") {
      return this.#outbox.send(store, this.getSpans());
    }
    this.#logger.warning(
      "the store has neither emitSpan nor addSpan nor importSpans for audit segments; no span is stored",
    );
    return 0;
  }

  #unsent(error: unknown): number {
    this.#logger.error("spans could not be stored", { error: messageOf(error) });
    return 0;
  }

  /** Segments are the spans' own second copy: what the store refuses now is not lost. */
  async #import(store: Pick<LightningStore, "importSpans">): Promise<number> {
    this.#log.read();
    const { run } = this.#source;
    if (run === undefined) {
      this.#logger.warning(
        "a LightningStore needs to know the run: give the emitter { run, segments }; no span is stored",
      );
      return 0;
    }
    const source = { run, segments: this.#log.segments, emitViolations: this.#options.includePolicyChecks };
    const importSpans = store.importSpans.bind(store);
    let cause: unknown;
    for (let attempt = 0; attempt < this.#options.attemptsMax; attempt++) {
      try {
        return await new FlightRecorderAdapter(source).importToStore({ importSpans });
      } catch (error) {
        cause = error;
      }
    }
    return this.#unsent(cause);
  }

  #convert(entries: readonly SeenEntry[], start: number): readonly LightningSpan[] {
    const { traceIdPrefix } = this.#options;
    const options = { run: this.#source.run ?? "", traceIdPrefix, redact: this.#redact };
    return entries.flatMap((seen, index) => {
      try {
        if (!this.#includes(seen.entry.type)) return [];
        return [spanOfEntry(seen.entry, { count: start + index, now: seen.seen }, options)];
      } catch (error) {
        this.#skip(seen, error);
        return [];
      }
    });
  }

  #includes(type: string): boolean {
    if (type === "policy_check") return this.#options.includePolicyChecks;
    if (type === "signal") return this.#options.includeSignals;
    return type !== "tool_call" || this.#options.includeToolCalls;
  }

  #skip(what: unknown, error: unknown): void {
    if (this.#unconverted.has(what)) return;
    this.#unconverted.add(what);
    this.#logger.warning("a flight-recorder entry cannot be converted", { error: messageOf(error) });
  }
}

/** The specification's factory. */
export function createEmitter(source: FlightSource, options: FlightRecorderEmitterOptions = {}): FlightRecorderEmitter {
  return new FlightRecorderEmitter(source, options);
}
