import type { AgentSignal } from "../core/audit.ts";
import type { Phase } from "../core/episode.ts";
import type { Stage } from "../pool/activity-board.ts";
import type { FaultKind } from "../pool/worker-fault.ts";
import type { Measure } from "../report/measure.ts";
import type { RunReport } from "../report/run-report.ts";

/** What a run says while it goes on; also a line of `events.jsonl`. */
export type RunEvent =
  | {
      readonly type: "run-start";
      readonly run: string;
      /** The run directory, absolute. */
      readonly dir: string;
      readonly workers: number;
      /** How many are to come. */
      readonly iterations: number;
    }
  | {
      /** A run that was stopped goes on. */
      readonly type: "run-resume";
      readonly run: string;
      readonly dir: string;
      readonly workers: number;
      /** The last one that is done, and how many there are to be. */
      readonly iteration: number;
      readonly iterations: number;
    }
  | { readonly type: "evaluation-end"; readonly phase: Phase; readonly measure: Measure }
  | {
      readonly type: "iteration-end";
      /** Counts from 1. */
      readonly iteration: number;
      readonly iterations: number;
      /** By name: `accuracy`, `violationRate`, `episodesPerSecond`, … */
      readonly metrics: Readonly<Record<string, number>>;
    }
  | {
      /** What was mediated, recorded and penalised of an episode does not agree; nothing is learned from it. */
      readonly type: "episode-quarantined";
      readonly episode: string;
      readonly reason: string;
    }
  | {
      /** Of `pretrain`; counts from 1. */
      readonly type: "epoch-end";
      readonly epoch: number;
      readonly epochs: number;
      readonly metrics: Readonly<Record<string, number>>;
    }
  | FaultEvent
  | {
      /** A signal was sent to an episode, which takes it unless it has ended. */
      readonly type: "signal";
      readonly episode: string;
      readonly signal: AgentSignal;
    }
  | {
      /** Something of the telemetry did not arrive, or cannot be sent; the run goes on. */
      readonly type: "telemetry-warning";
      readonly message: string;
    }
  | { readonly type: "run-end"; readonly report: RunReport };

/** What went wrong in a worker. */
export type FaultEvent =
  | {
      /** A task came to nothing: its episodes are tried again, as far as `retries` allows. */
      readonly type: "task-failure";
      readonly reason: string;
      readonly fault: FaultKind;
      readonly attempt: number;
      /** How many episodes it had. */
      readonly episodes: number;
      /** Id of the attempt at the one that is to blame, where that is known. */
      readonly episode?: string;
      /** What the worker was doing at last, and the name of the syscall that was made last. */
      readonly worker?: number;
      readonly stage?: Stage;
      readonly syscall?: string;
    }
  | {
      /** What the code of an episode left behind, a timer or a promise, broke: while the episode went on, or after it. */
      readonly type: "stray-error";
      readonly episode: string;
      readonly reason: string;
    }
  | {
      /** A thread was ended and goes on all the same, with what it holds: V8 has not interrupted its code. */
      readonly type: "worker-unended";
      readonly reason: string;
    }
  | {
      /** The episodes of a task have ended too many workers: no more of them are begun. */
      readonly type: "task-quarantined";
      readonly task: string;
      /** How many workers. */
      readonly faults: number;
      /** What became of the last. */
      readonly reason: string;
    };
