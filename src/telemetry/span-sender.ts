import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../core/errors.ts";
import { redactSecrets } from "../store/redact.ts";
import type { OtelSettings } from "./otel-environment.ts";
import { postTraces } from "./otlp-client.ts";
import type { OtlpSpan } from "./otlp-span.ts";
import { writeTraceRequest } from "./write-trace-request.ts";

/** Spans that are still to be made: what takes time is done when it is their turn. */
export interface SpanJob {
  /** About how many they are. */
  readonly size: number;
  readonly make: () => readonly OtlpSpan[];
}

export interface SendLimits {
  /** Spans that wait; what comes beyond is dropped. */
  readonly waitingMax: number;
  readonly requestMax: number;
  /** The first wait before a request is sent again, doubled every time up to the greatest. */
  readonly backoffMs: { readonly first: number; readonly max: number };
  /** How long one request is tried. */
  readonly giveUpMs: number;
  /** How long the end of a run waits for what is left. */
  readonly closeMs: number;
}

export const sendLimits: SendLimits = {
  ...{ waitingMax: 65_536, requestMax: 512, backoffMs: { first: 1_000, max: 15_000 }, giveUpMs: 60_000 },
  closeMs: 5_000,
};

/** Sends spans in the order they come, one request at a time. It never throws, and never keeps anybody waiting but in `close`. */
export class SpanSender {
  readonly #settings: OtelSettings;
  readonly #warn: (message: string) => void;
  readonly #limits: SendLimits;
  readonly #jobs: SpanJob[] = [];
  readonly #closing = new AbortController();
  #waiting = 0;
  #sent = 0;
  #dropped = 0;
  #working: Promise<void> | undefined;

  constructor(settings: OtelSettings, warn: (message: string) => void, limits: SendLimits = sendLimits) {
    this.#settings = settings;
    this.#warn = warn;
    this.#limits = limits;
  }

  get counts(): { readonly sent: number; readonly dropped: number } {
    return { sent: this.#sent, dropped: this.#dropped };
  }

  send(job: SpanJob): void {
    // A single job that is larger than all that may wait would never be sent.
    if (this.#waiting > 0 && this.#waiting + job.size > this.#limits.waitingMax) {
      this.#drop(job.size, "too many spans wait");
      return;
    }
    this.#waiting += job.size;
    this.#jobs.push(job);
    this.#working ??= this.#work();
  }

  /** Sends what waits, as far as that is done in time; then says how much was lost. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#closing.abort(new Error("the run has ended")), this.#limits.closeMs);
    await this.#working;
    clearTimeout(timer);
    if (this.#dropped > 0) this.#warn(`telemetry: ${this.#sent} spans were sent, ${this.#dropped} were dropped`);
  }

  async #work(): Promise<void> {
    for (let job = this.#jobs.shift(); job !== undefined; job = this.#jobs.shift()) {
      // Whoever has just stored a batch goes on with the next before its spans are made.
      await sleep(0);
      await this.#sendAll(this.#made(job));
      this.#waiting -= job.size;
    }
    this.#working = undefined;
  }

  #made({ size, make }: SpanJob): readonly OtlpSpan[] {
    try {
      return make();
    } catch (error) {
      this.#drop(size, messageOf(error));
      return [];
    }
  }

  async #sendAll(spans: readonly OtlpSpan[]): Promise<void> {
    const { requestMax } = this.#limits;
    for (let start = 0; start < spans.length; start += requestMax) {
      const part = spans.slice(start, start + requestMax);
      const { lost, why } = await this.#sendRequest(part);
      this.#sent += part.length - lost;
      if (lost > 0) this.#drop(lost, why);
    }
  }

  /** @returns How many spans were lost. */
  async #sendRequest(spans: readonly OtlpSpan[]): Promise<{ readonly lost: number; readonly why: string }> {
    const body = writeTraceRequest(spans, this.#settings.resource);
    const until = performance.now() + this.#limits.giveUpMs;
    const { first, max } = this.#limits.backoffMs;
    let last = "it has not answered";
    for (let backoff = first; ; backoff = Math.min(2 * backoff, max)) {
      const { signal } = this.#closing;
      if (signal.aborted) return { lost: spans.length, why: `${last}, and the run has ended` };
      const delivery = await postTraces(body, this.#settings, signal);
      if (delivery.status === "sent") return { lost: Math.min(delivery.rejected, spans.length), why: delivery.why };
      if (delivery.status === "refused") return { lost: spans.length, why: delivery.why };
      // Many clients that were turned away at once must not come back at once.
      const pause = delivery.afterMs ?? backoff * (0.5 + Math.random());
      if (performance.now() + pause > until) return { lost: spans.length, why: delivery.why };
      if (!signal.aborted) last = delivery.why;
      await sleep(pause, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  #drop(count: number, why: string): void {
    if (this.#dropped === 0) this.#warn(`telemetry: spans are dropped, ${redactSecrets(this.#settings.url)}: ${why}`);
    this.#dropped += count;
  }
}
