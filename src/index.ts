/** What a program that uses Faraday as a library imports. */

export type { ConfigInput, ResolvedConfig } from "./config/config-schema.ts";
export { loadConfig, resolveConfig } from "./config/load-config.ts";
export { type Agent, type AgentContext, type AgentDefinition, type AgentMaker, defineAgent } from "./core/agent.ts";
export type { AuditRecord, AuditSegment } from "./core/audit.ts";
export {
  type Driver,
  defineEnv,
  type Environment,
  type EnvironmentDefinition,
  type EnvironmentEpisode,
  type EpisodeContext,
  type Score,
  type Split,
  type Task,
  type World,
} from "./core/env.ts";
export type { EpisodeKey, EpisodeRecord, EpisodeSummary, OracleFinding, StepRecord } from "./core/episode.ts";
export { FaradayError, InputError } from "./core/errors.ts";
export type { ResultSet, SqlResult, SqlValue, SqlWorld } from "./core/sql.ts";
export type { Severity, Syscall, SyscallResult, Verdict, Violation } from "./core/syscall.ts";
export type { FlightRecorder } from "./kernel/flight-recorder.ts";
export type { KernelSession, SessionCounts } from "./kernel/kernel-session.ts";
export { KernelSpace, type KernelSpaceOptions, type KernelSpec } from "./kernel/kernel-space.ts";
export { metered } from "./kernel/metered.ts";
export { BudgetPolicy } from "./kernel/policies/budget-policy.ts";
export { ContentPolicy } from "./kernel/policies/content-policy.ts";
export { type CustomFinding, type CustomJudge, CustomPolicy } from "./kernel/policies/custom-policy.ts";
export { RatePolicy } from "./kernel/policies/rate-policy.ts";
export { SequencePolicy } from "./kernel/policies/sequence-policy.ts";
export { SQLPolicy } from "./kernel/policies/sql-policy.ts";
export { ToolsPolicy } from "./kernel/policies/tools-policy.ts";
export type { Call, Finding, Judge, Policy, Reply, Usage } from "./kernel/policy.ts";
export type { EscalationRequest, Resolver } from "./kernel/resolver.ts";
export { ToolSet } from "./kernel/tool-set.ts";
export { type Measure, measureOf } from "./report/measure.ts";
export type { RunReport } from "./report/run-report.ts";
export { renderTable } from "./report/table.ts";
export type { RunEvent } from "./run/events.ts";
export { Trainer, type TrainerOptions } from "./run/trainer.ts";
export { AgentOSRunner, type RunnerStats, type StepOptions } from "./runner/agent-os-runner.ts";
export { CompositeReward, type RewardFunction } from "./runner/composite-reward.ts";
export type { EnvironmentOptions } from "./runner/environment-options.ts";
export type { EnvironmentMetrics, EnvironmentState } from "./runner/environment-state.ts";
export type { EpisodePlan } from "./runner/episode-plan.ts";
export type { GovernanceEmitter } from "./runner/governance-emitter.ts";
export {
  type CostTuple,
  createGovernedEnv,
  GovernedEnvironment,
  type GovernedEnvironmentOptions,
  type StepInfo,
  type StepTuple,
} from "./runner/governed-environment.ts";
export type { GovernedEpisode } from "./runner/governed-episode.ts";
export type { ExecutableKernel, ExecuteContext, GovernedKernel } from "./runner/governed-kernel.ts";
export { GovernedRollout } from "./runner/governed-rollout.ts";
export { policyPenalty } from "./runner/policy-penalty.ts";
export {
  createPolicyReward,
  PolicyReward,
  type PolicyRewardOptions,
  type RewardedRollout,
} from "./runner/policy-reward.ts";
export {
  PolicyViolation,
  PolicyViolationError,
  type PolicyViolationType,
  policyViolationTypes,
  severityPenalties,
} from "./runner/policy-violation.ts";
export type { RewardConfig, RewardOptions } from "./runner/reward-options.ts";
export type { RunnerFaceOptions } from "./runner/runner-face.ts";
export type { RunnerOptions } from "./runner/runner-options.ts";
export type { RolloutTaskStore } from "./runner/task-loop.ts";
export { FlightRecorderAdapter } from "./store/flight-recorder-adapter.ts";
export {
  createEmitter,
  FlightRecorderEmitter,
  type FlightRecorderEmitterOptions,
} from "./store/flight-recorder-emitter.ts";
export { LightningSpan } from "./store/lightning-span.ts";
export type { LightningStore } from "./store/lightning-store.ts";
export { openStore } from "./store/open.ts";
export type { RolloutQueue } from "./store/rollout-queue.ts";
