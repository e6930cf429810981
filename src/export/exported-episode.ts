import type { Split } from "../core/env.ts";
import type { EpisodeOutcome, Phase } from "../core/episode.ts";

/** What was said in an episode, in order: the task and what came of actions by the user, actions by the assistant. */
export interface ExportedMessage {
  readonly role: "user" | "assistant";
  readonly content: string;
}

export interface ExportedViolation {
  readonly step: number;
  readonly statement: string;
  readonly policy: string;
  readonly rule: string;
  readonly severity: string;
  readonly type: string;
  readonly description: string;
  readonly blocked: boolean;
  readonly penalty: number;
}

/** One episode as it leaves the store. The keys are the columns of every tabular format, in this order; docs/export.md says what each is. */
export interface ExportedEpisode {
  readonly run: string;
  readonly episode: string;
  readonly phase: Phase;
  readonly iteration: number;
  readonly group_index: number;
  readonly episode_index: number;
  readonly task: string;
  readonly split: Split;
  readonly seed: number;
  readonly weights: number;
  readonly worker: number;
  readonly attempt: number;
  readonly outcome: EpisodeOutcome;
  readonly error: string | null;
  readonly success: boolean;
  readonly reward: number;
  readonly cost: number;
  readonly scalar_reward: number;
  readonly advantage: number | null;
  readonly steps: number;
  readonly violations: readonly ExportedViolation[];
  /** Null where the policy model's tokens, or what turns them into text, were not kept. */
  readonly prompt: string | null;
  readonly messages: readonly ExportedMessage[] | null;
  /** These three have one length; null where no tokens were kept. */
  readonly tokens: readonly number[] | null;
  readonly chosen: readonly boolean[] | null;
  readonly log_probabilities: readonly number[] | null;
  /** When its batch was stored, in milliseconds since 1970. */
  readonly stored_at: number;
}
