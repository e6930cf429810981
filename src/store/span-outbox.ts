import { messageOf } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { writeGuarded } from "./guarded-file.ts";
import type { LightningSpan, LightningSpanData } from "./lightning-span.ts";

/** A store that takes spans one by one. */
export interface SpanReceiver {
  emitSpan?(span: LightningSpanData): unknown;
  addSpan?(span: LightningSpanData): unknown;
}

export interface OutboxOptions {
  /** How often a span is tried before it is set aside. */
  readonly attemptsMax: number;
  /** Where spans go that could not be stored: JSON, one a line. */
  readonly spillFile: string;
  readonly logger: Logger;
}

/** Hands spans to stores, each span once to each store. What a store does not take is kept on disk and tried again the next time. */
export class SpanOutbox {
  readonly #options: OutboxOptions;
  readonly #delivered = new WeakMap<object, Set<string>>();
  readonly #spilled = new Set<string>();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Spans that are in the spill file. */
  get spilledCount(): number {
    return this.#spilled.size;
  }

  /** @returns How many spans the store took. Never rejects. */
  async send(store: SpanReceiver, spans: readonly LightningSpan[]): Promise<number> {
    const delivered = this.#delivered.get(store) ?? new Set();
    this.#delivered.set(store, delivered);
    const failed: LightningSpan[] = [];
    let count = 0;
    for (const span of spans) {
      if (delivered.has(span.spanId)) continue;
      if (await this.#try(store, span)) {
        delivered.add(span.spanId);
        count++;
      } else failed.push(span);
    }
    this.#spill(failed);
    return count;
  }

  async #try(store: SpanReceiver, span: LightningSpan): Promise<boolean> {
    const { attemptsMax, logger } = this.#options;
    let cause: unknown;
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      try {
        await (store.emitSpan === undefined ? store.addSpan?.(span.toDict()) : store.emitSpan(span.toDict()));
        return true;
      } catch (error) {
        cause = error;
      }
    }
    logger.error("a span could not be stored", { span: span.spanId, attempts: attemptsMax, error: messageOf(cause) });
    return false;
  }

  #spill(failed: readonly LightningSpan[]): void {
    const fresh = failed.filter(({ spanId }) => !this.#spilled.has(spanId));
    if (fresh.length === 0) return;
    const { logger, spillFile } = this.#options;
    try {
      writeGuarded(spillFile, fresh.map((span) => `${span.toJson()}\n`).join(""), "append");
      for (const { spanId } of fresh) this.#spilled.add(spanId);
      logger.error("spans that could not be stored are kept on disk", { file: spillFile, count: fresh.length });
    } catch (error) {
      logger.error("spans are neither stored nor on disk", { count: fresh.length, error: messageOf(error) });
    }
  }
}
