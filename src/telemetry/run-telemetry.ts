import { spanIdOf, traceIdOf } from "../store/span-id.ts";
import { batchOtlpSpans, type RolledOutBatch } from "./batch-spans.ts";
import type { OtelSettings } from "./otel-environment.ts";
import type { OtlpSpan } from "./otlp-span.ts";
import { type SendLimits, SpanSender } from "./span-sender.ts";

export interface RunNames {
  readonly run: string;
  /** What it does: `faraday.train` or `faraday.eval`. */
  readonly workflow: string;
}

/** One change of the weights. */
export interface WeightsUpdate {
  readonly iteration: number;
  /** SHA-256 of the new weights. */
  readonly weights: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly startMs: number;
  readonly endMs: number;
}

/** What a run of training, or an evaluation, tells an OpenTelemetry endpoint: a trace of it with its updates, and one of each episode that links to it. */
export class RunTelemetry implements AsyncDisposable {
  readonly #run: string;
  readonly #workflow: string;
  readonly #settings: OtelSettings;
  readonly #sender: SpanSender;
  readonly #startMs = nowMs();
  readonly #root: { readonly traceId: string; readonly spanId: string };
  #ended = false;

  constructor(
    { run, workflow }: RunNames,
    settings: OtelSettings,
    options: { warn: (message: string) => void; limits?: SendLimits },
  ) {
    this.#run = run;
    this.#workflow = workflow;
    this.#settings = settings;
    this.#sender = new SpanSender(settings, options.warn, options.limits);
    const traceId = traceIdOf(run, "");
    // A resumed run is another part of the same trace.
    this.#root = { traceId, spanId: spanIdOf(traceId, String(this.#startMs), "run") };
  }

  batch(batch: RolledOutBatch): void {
    const { captureContent } = this.#settings;
    const options = { run: this.#run, link: this.#root, captureContent };
    const records = batch.segments.reduce((sum, { count }) => sum + count, 0);
    this.#sender.send({ size: records + 3 * batch.episodes.length, make: () => batchOtlpSpans(batch, options) });
  }

  update({ iteration, weights, metrics, startMs, endMs }: WeightsUpdate): void {
    const figures = Object.entries(metrics).map(([name, value]) => [`faraday.metric.${name}`, value] as const);
    const attributes = {
      "faraday.run": this.#run,
      ...{ "faraday.iteration": iteration, "faraday.weights.sha256": weights },
      ...Object.fromEntries(figures),
    };
    const spanId = spanIdOf(this.#root.traceId, "", `update ${iteration}`);
    const place = { spanId, parentId: this.#root.spanId, name: "faraday.update" };
    this.#send({ ...place, attributes, status: "OK", startMs, endMs });
  }

  /** Says how the run has ended, and waits for what is left to be sent, but not long. */
  async end(status: string): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const attributes = {
      ...{ "gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": this.#workflow },
      ...{ "faraday.run": this.#run, "faraday.status": status },
    };
    const root = { spanId: this.#root.spanId, parentId: null, name: "invoke_workflow", attributes };
    this.#send({ ...root, status: status === "failed" ? "ERROR" : "OK", startMs: this.#startMs, endMs: nowMs() });
    await this.#sender.close();
  }

  /** A run that has not come to its end has failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("failed");
  }

  #send(span: Omit<OtlpSpan, "traceId">): void {
    this.#sender.send({ size: 1, make: () => [{ traceId: this.#root.traceId, ...span }] });
  }
}

/** Milliseconds since 1970 with their fractions, on the same clock as those of the workers. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
