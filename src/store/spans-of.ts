import { attemptsOf, type RecordedAttempt, type RecordedSyscall } from "../audit/attempts-of.ts";
import type { AuditSegment } from "../core/audit.ts";
import type { Violation } from "../core/syscall.ts";
import type { Span, SpanAttributes, SpanStatus } from "./span.ts";
import { spanIdOf, traceIdOf } from "./span-id.ts";

export interface SpansOptions {
  /** Whether violations become spans of their own. */
  readonly emitViolations: boolean;
  /** Whether attempts without an end become spans too: when nothing more will come of them. */
  readonly unfinished: boolean;
}

/**
 * The spans of recorded episodes: `invoke_agent` for each attempt, `execute_tool` for each of its syscalls and, if
 * asked for, `agent_os.violation` for each violation, each the child of the one before it. Names and `gen_ai.*` keys
 * are those of the OpenTelemetry GenAI conventions; arguments stay in the audit, since those make them opt-in.
 *
 * Ids derive from run, episode and step, whichever worker it was that recorded. Where an episode has several
 * attempts, that holds for the first finished one; the ids of the others derive from their recorder's place too.
 */
export function spansOf(run: string, segments: readonly AuditSegment[], options: SpansOptions): readonly Span[] {
  const spans: Span[] = [];
  const finished = new Set<string>();
  for (const attempt of attemptsOf(segments)) {
    const counts = attempt.end !== undefined && !finished.has(attempt.start.episode);
    if (counts) finished.add(attempt.start.episode);
    if (attempt.end === undefined && !options.unfinished) continue;
    appendAttempt(spans, new SpanMaker(run, attempt, counts), options.emitViolations);
  }
  return spans;
}

function appendAttempt(spans: Span[], maker: SpanMaker, emitViolations: boolean): void {
  const root = maker.episode();
  spans.push(root);
  for (const syscall of maker.attempt.syscalls) {
    const tool = maker.syscall(root, syscall);
    spans.push(tool);
    if (!emitViolations) continue;
    syscall.outcome?.violations.forEach((violation, index) => {
      spans.push(maker.violation(tool, { violation, step: syscall.intent.step, index }));
    });
  }
}

/** The spans that are stored with a batch. The main process, worker 0, records no attempts. */
export function batchSpans(
  run: string,
  segments: readonly AuditSegment[],
  { emitViolations }: Pick<SpansOptions, "emitViolations">,
): readonly Span[] {
  const recorded = segments.filter(({ worker }) => worker !== 0);
  return spansOf(run, recorded, { emitViolations, unfinished: true });
}

/** Makes the spans of one attempt. */
class SpanMaker {
  readonly attempt: RecordedAttempt;
  readonly #traceId: string;
  readonly #mark: string;

  constructor(run: string, attempt: RecordedAttempt, counts: boolean) {
    this.attempt = attempt;
    this.#traceId = traceIdOf(run, attempt.start.episode);
    this.#mark = counts ? "" : `${attempt.worker}.${attempt.epoch}.${attempt.start.sequence}`;
  }

  episode(): Span {
    const { start, end, lastSequence } = this.attempt;
    return this.#span("episode", {
      parentId: null,
      name: "invoke_agent",
      status: end === undefined || end.outcome === "failed" ? "ERROR" : "OK",
      startSequence: start.sequence,
      endSequence: lastSequence,
      attributes: {
        "gen_ai.operation.name": "invoke_agent",
        "faraday.task": start.task,
        "faraday.seed": start.seed,
        "faraday.weights": start.weights,
        "faraday.outcome": end?.outcome ?? "interrupted",
        ...(end === undefined ? {} : { "faraday.reward": end.reward, "faraday.cost": end.cost }),
      },
    });
  }

  syscall(root: Span, { intent, outcome }: RecordedSyscall): Span {
    return this.#span(`step ${intent.step}`, {
      parentId: root.spanId,
      name: `execute_tool ${intent.syscall}`,
      status: outcome?.outcome === "completed" ? "OK" : "ERROR",
      startSequence: intent.sequence,
      endSequence: outcome?.sequence ?? intent.sequence,
      attributes: {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": intent.syscall,
        "agent_os.step": intent.step,
        "agent_os.outcome": outcome?.outcome ?? "interrupted",
        ...(outcome === undefined ? {} : { "agent_os.verdict": outcome.verdict }),
      },
    });
  }

  violation(tool: Span, at: { violation: Violation; step: number; index: number }): Span {
    return this.#span(`step ${at.step} violation ${at.index}`, {
      parentId: tool.spanId,
      name: "agent_os.violation",
      status: "UNSET",
      startSequence: tool.endSequence,
      endSequence: tool.endSequence,
      attributes: violationAttributes(at.violation, at.step),
    });
  }

  #span(part: string, rest: SpanParts): Span {
    return {
      traceId: this.#traceId,
      spanId: spanIdOf(this.#traceId, this.#mark, part),
      episode: this.attempt.start.episode,
      worker: this.attempt.worker,
      epoch: this.attempt.epoch,
      ...rest,
    };
  }
}

interface SpanParts {
  readonly parentId: string | null;
  readonly name: string;
  readonly status: SpanStatus;
  readonly startSequence: number;
  readonly endSequence: number;
  readonly attributes: SpanAttributes;
}

function violationAttributes(violation: Violation, step: number): SpanAttributes {
  return {
    "agent_os.policy_name": violation.policy,
    "agent_os.rule": violation.rule,
    "agent_os.severity": violation.severity,
    "agent_os.type": violation.type,
    "agent_os.blocked": violation.blocked,
    "agent_os.description": violation.description,
    "agent_os.step": step,
  };
}
