import { type AuditRecord, eachCall } from "../core/audit.ts";
import type { SyscallOutcome, Violation } from "../core/syscall.ts";

/** One entry of a flight recorder, in the form that becomes a span. */
export interface FlightEntry {
  readonly id?: string | number;
  readonly entryId?: string | number;
  /** `policy_check`, `signal`, `tool_call`, or any other. */
  readonly type: string;
  readonly agentId: string;
  /** When it happened, where the recorder has a clock. */
  readonly timestamp?: Date | string | number;
  readonly policyName?: string;
  readonly policyResult?: string;
  readonly policyViolated?: boolean;
  readonly signalType?: string;
  readonly signalTarget?: string;
  readonly toolName?: string;
  readonly toolArgs?: unknown;
  readonly toolResult?: unknown;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/**
 * What one audit record says, as entries: a syscall's intent is nothing yet; its outcome is the tool call, and a policy check for each
 * violation, or one that was passed.
 * @param intents What each episode asked for last, by id; kept up to date here.
 */
export function entriesOf(record: AuditRecord, intents: Map<string, Intent>): readonly FlightEntry[] {
  const id = `${record.worker}.${record.epoch}.${record.sequence}`;
  if (record.kind === "batch" || record.kind === "update") {
    return [{ id, type: record.kind, agentId: "run", metadata: { iteration: record.iteration } }];
  }
  const { episode } = record;
  switch (record.kind) {
    case "start": {
      const { seed, task, weights } = record;
      return [{ id, type: "episode_start", agentId: episode, metadata: { seed, task, weights } }];
    }
    case "intent":
      intents.set(episode, record);
      return [];
    case "calls":
      return eachCall(record).flatMap(({ intent, outcome }) =>
        outcomeEntries(outcome, { id: `${id}.${intent.step}`, intent }),
      );
    case "outcome":
      return outcomeEntries(record, { id, intent: intents.get(episode) });
    case "signal":
      return [{ id, type: "signal", agentId: episode, signalType: record.signal, signalTarget: episode }];
    case "end": {
      intents.delete(episode);
      const { cost, outcome, reward, steps, violations } = record;
      return [{ id, type: "episode_end", agentId: episode, metadata: { cost, outcome, reward, steps, violations } }];
    }
    default:
      return record satisfies never;
  }
}

export type Intent = Extract<AuditRecord, { kind: "intent" }>;
type Outcome = Extract<AuditRecord, { kind: "outcome" }>;

function outcomeEntries(
  { episode, error, outcome, policies, step, verdict, violations }: Outcome,
  { id, intent }: { readonly id: string; readonly intent: Intent | undefined },
): readonly FlightEntry[] {
  const call: FlightEntry = {
    id,
    type: "tool_call",
    agentId: episode,
    toolName: intent?.syscall ?? "unknown",
    toolArgs: intent?.args ?? null,
    toolResult: resultText(outcome, error),
    metadata: { step, verdict, outcome },
  };
  if (violations.length > 0) return [call, ...violations.map((violation, index) => check(violation, index))];
  const passed = { policyName: "all", policyResult: verdict, policyViolated: false };
  return [call, { id: `${id}.check`, type: "policy_check", agentId: episode, ...passed, metadata: { step, policies } }];

  function check({ policy, ...rest }: Violation, index: number): FlightEntry {
    const violated = { policyName: policy, policyResult: rest.type.toLowerCase(), policyViolated: true };
    return {
      id: `${id}.check.${index}`,
      type: "policy_check",
      agentId: episode,
      ...violated,
      metadata: { ...rest, step, policies },
    };
  }
}

/** The recorder does not keep what a driver returned, only what came of the call. */
function resultText(outcome: SyscallOutcome, error: string | undefined): string {
  return error === undefined ? outcome : `${outcome}: ${error}`;
}
