import { recordsOf } from "../audit/audit-records.ts";
import type { TimedSegment } from "../core/audit.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import type { Phase } from "../core/episode.ts";
import type { StoredEpisode } from "../store/lightning-store.ts";
import { redactSecrets } from "../store/redact.ts";
import type { Span, SpanAttributes } from "../store/span.ts";
import { spanIdOf, traceIdOf } from "../store/span-id.ts";
import { spansOf } from "../store/spans-of.ts";
import type { OtlpSpan } from "./otlp-span.ts";
import { RecordTimes } from "./record-times.ts";

/** A batch that was stored, and when it was rolled out. */
export interface RolledOutBatch {
  readonly phase: Phase;
  readonly iteration: number;
  readonly episodes: readonly StoredEpisode[];
  /** Without the main process's own. */
  readonly segments: readonly TimedSegment[];
  /** Milliseconds since 1970; they stand in for times that no recorder has. */
  readonly startMs: number;
  readonly endMs: number;
}

export interface BatchSpansOptions {
  readonly run: string;
  /** Of the whole run, which every episode links to. */
  readonly link: { readonly traceId: string; readonly spanId: string };
  readonly captureContent: boolean;
}

/**
 * The spans of a batch, as the store has them under the same ids, with their times, and what became of each episode: its reward, cost and
 * scalar reward as `gen_ai.evaluation.result`.
 */
export function batchOtlpSpans(batch: RolledOutBatch, options: BatchSpansOptions): readonly OtlpSpan[] {
  const { segments, startMs, endMs } = batch;
  const times = new RecordTimes(segments);
  const details = options.captureContent ? argumentsIn(segments) : new Map<string, string>();
  const episodes = new Map(batch.episodes.map((episode) => [episode.key.id, episode]));
  const spans = spansOf(options.run, segments, { emitViolations: true, unfinished: true }).map((span): OtlpSpan => {
    const { traceId, spanId, parentId, name, status, startSequence, endSequence } = span;
    const episode = parentId === null ? episodes.get(span.episode) : undefined;
    return {
      ...{ traceId, spanId, parentId, name, status },
      startMs: times.at(span, startSequence) ?? startMs,
      endMs: times.at(span, endSequence) ?? endMs,
      attributes: { ...ownAttributes(span, details), ...(parentId === null ? agentAttributes(episode, options) : {}) },
      ...(parentId === null ? { link: options.link } : {}),
    };
  });
  const known = new Map(spans.map((span) => [span.spanId, span]));
  const roots = batch.episodes.map((episode) => {
    const root = rootOf(episode, batch, options);
    return { episode, root: known.get(root.spanId) ?? root, isNew: !known.has(root.spanId) };
  });
  const unrecorded = roots.flatMap(({ root, isNew }) => (isNew ? [root] : []));
  return [...spans, ...unrecorded, ...roots.flatMap(({ episode, root }) => evaluations(episode, root))];
}

function ownAttributes(span: Span, details: ReadonlyMap<string, string>): SpanAttributes {
  const { attributes, status, name } = span;
  const outcome = attributes["agent_os.outcome"] ?? attributes["faraday.outcome"];
  const description = attributes["agent_os.description"];
  const args = name.startsWith("execute_tool ") ? details.get(placeOf(span, span.startSequence)) : undefined;
  return {
    ...attributes,
    ...(name.startsWith("execute_tool ") ? { "gen_ai.tool.type": "function" } : {}),
    ...(status === "ERROR" && outcome !== undefined ? { "error.type": outcome } : {}),
    ...(typeof description === "string" ? { "agent_os.description": redactSecrets(description) } : {}),
    ...(args === undefined ? {} : { "gen_ai.tool.call.arguments": args }),
  };
}

function agentAttributes(episode: StoredEpisode | undefined, { run }: BatchSpansOptions): SpanAttributes {
  return {
    "gen_ai.provider.name": "faraday",
    "gen_ai.agent.name": "faraday",
    "faraday.run": run,
    ...(episode === undefined ? {} : episodeAttributes(episode)),
  };
}

function episodeAttributes({ key, attempt, success, tokenCount, advantage }: StoredEpisode): SpanAttributes {
  return {
    "gen_ai.conversation.id": key.id,
    "gen_ai.usage.output_tokens": tokenCount,
    "faraday.phase": key.phase,
    "faraday.iteration": key.iteration,
    "faraday.group": key.group,
    "faraday.attempt": attempt,
    "faraday.success": success,
    ...(advantage === null ? {} : { "faraday.advantage": advantage }),
  };
}

/** The span of an episode of which no recorder tells: its worker was ended with it, or it never began. */
function rootOf(episode: StoredEpisode, { startMs, endMs }: RolledOutBatch, options: BatchSpansOptions): OtlpSpan {
  const { key, outcome, reward, cost } = episode;
  const traceId = traceIdOf(options.run, key.id);
  return {
    ...{ traceId, spanId: spanIdOf(traceId, "", "episode"), parentId: null, name: "invoke_agent", startMs, endMs },
    ...{ status: "ERROR", link: options.link },
    attributes: {
      "gen_ai.operation.name": "invoke_agent",
      ...{ "faraday.task": key.task, "faraday.seed": key.seed, "faraday.weights": key.weights },
      ...{ "faraday.outcome": outcome, "faraday.reward": reward, "faraday.cost": cost, "error.type": outcome },
      ...agentAttributes(episode, options),
    },
  };
}

function evaluations(episode: StoredEpisode, root: OtlpSpan): readonly OtlpSpan[] {
  const { reward, cost, scalarReward, success, violations } = episode;
  const clean = violations.length === 0 ? "clean" : "violation";
  return [
    evaluation(root, { name: "reward", value: reward, label: success ? "pass" : "fail" }),
    evaluation(root, { name: "cost", value: cost, label: clean }),
    evaluation(root, { name: "scalar_reward", value: scalarReward, label: clean }),
  ];
}

/** By the conventions an event whose parent is what was evaluated; where there are traces alone, a span without length. */
function evaluation(root: OtlpSpan, score: { name: string; value: number; label: string }): OtlpSpan {
  return {
    traceId: root.traceId,
    spanId: spanIdOf(root.traceId, "", `evaluation ${score.name}`),
    parentId: root.spanId,
    name: "gen_ai.evaluation.result",
    startMs: root.endMs,
    endMs: root.endMs,
    status: "UNSET",
    attributes: {
      "gen_ai.evaluation.name": score.name,
      "gen_ai.evaluation.score.value": score.value,
      "gen_ai.evaluation.score.label": score.label,
    },
  };
}

/** Arguments of syscalls as JSON without secrets of well-known shapes, by the place of their intent. */
function argumentsIn(segments: readonly TimedSegment[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const segment of segments) {
    for (const record of recordsOf(segment)) {
      if (record.kind === "intent")
        found.set(placeOf(record, record.sequence), redactSecrets(canonicalJson(record.args)));
    }
  }
  return found;
}

function placeOf({ worker, epoch }: { readonly worker: number; readonly epoch: number }, sequence: number): string {
  return `${worker}.${epoch}.${sequence}`;
}
