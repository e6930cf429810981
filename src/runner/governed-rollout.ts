import type { EpisodeOutcome, EpisodeRecord } from "../core/episode.ts";
import type { EmittedAttributes } from "./governance-emitter.ts";
import type { StepMode } from "./governed-kernel.ts";
import type { PolicyViolation } from "./policy-violation.ts";

export interface GovernedRolloutFields<Input = unknown, Output = unknown> {
  readonly taskInput: Input;
  readonly taskOutput: Output | null;
  readonly success: boolean;
  readonly violations?: readonly PolicyViolation[];
  readonly signalsSent?: readonly string[];
  /** Ignored: it is always summed anew. */
  readonly totalPenalty?: number;
  readonly executionTimeMs?: number;
  readonly outcome?: EpisodeOutcome;
  readonly error?: string | null;
  readonly mediated?: number | null;
  readonly mode?: StepMode;
  readonly record?: EpisodeRecord | null;
}

/** What one step did, and what it broke. */
export class GovernedRollout<Input = unknown, Output = unknown> {
  readonly taskInput: Input;
  /** What the kernel returned; `null` where the step failed. */
  readonly taskOutput: Output | null;
  readonly success: boolean;
  readonly violations: readonly PolicyViolation[];
  readonly signalsSent: readonly string[];
  /** Sum of the violations' penalties, ≥ 0. */
  readonly totalPenalty: number;
  /** Real time. It is only here, never in a record that must repeat. */
  readonly executionTimeMs: number;
  readonly outcome: EpisodeOutcome;
  /** Why it failed; `null` where it did not. */
  readonly error: string | null;
  /** Syscalls that the kernel attests to have mediated; `null` where it attests nothing. */
  readonly mediated: number | null;
  readonly mode: StepMode;
  /** The episode, where the kernel is a KernelSpace. */
  readonly record: EpisodeRecord | null;

  constructor(fields: GovernedRolloutFields<Input, Output>) {
    this.taskInput = fields.taskInput;
    this.taskOutput = fields.taskOutput;
    this.success = fields.success;
    this.violations = Object.freeze([...(fields.violations ?? [])]);
    this.signalsSent = Object.freeze([...(fields.signalsSent ?? [])]);
    this.totalPenalty = this.violations.reduce((sum, { penalty }) => sum + penalty, 0);
    this.executionTimeMs = fields.executionTimeMs ?? 0;
    this.outcome = fields.outcome ?? (fields.success ? "completed" : "failed");
    this.error = fields.error ?? null;
    this.mediated = fields.mediated ?? null;
    this.mode = fields.mode ?? "train";
    this.record = fields.record ?? null;
    Object.freeze(this);
  }
}

/** Count, total penalty, types and distinct policies of a rollout's violations. */
export function violationSummary({ violations, totalPenalty }: GovernedRollout): EmittedAttributes {
  return {
    "agent_os.violation_count": violations.length,
    "agent_os.total_penalty": totalPenalty,
    "agent_os.violation_types": violations.map(({ violationType }) => violationType),
    "agent_os.violated_policies": [...new Set(violations.map(({ policyName }) => policyName))],
  };
}

export function signalSummary({ signalsSent }: GovernedRollout): EmittedAttributes {
  return { "agent_os.signal_count": signalsSent.length, "agent_os.signals_sent": signalsSent };
}
