import { isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { ConfigInput, ResolvedConfig } from "../config/config-schema.ts";
import { resolveConfig } from "../config/load-config.ts";
import type { AgentSignal } from "../core/audit.ts";
import { FaradayError, InputError } from "../core/errors.ts";
import { KernelSpace } from "../kernel/kernel-space.ts";
import type { RunReport } from "../report/run-report.ts";
import type { AgentOSRunner } from "../runner/agent-os-runner.ts";
import type { PolicyReward } from "../runner/policy-reward.ts";
import type { RunEvent } from "./events.ts";
import { type RunControl, train } from "./train.ts";

export interface TrainerOptions {
  /** What governs every worker; each makes its own kernel to this one's pattern. Default: the runner's. */
  readonly kernel?: KernelSpace;
  readonly runner?: AgentOSRunner;
  readonly reward?: PolicyReward;
  /** A shipped environment by name, a module of yours by URL, or the config's `env`. Default: `sql`. */
  readonly env?: string | URL | ConfigInput["env"];
  /** Folder of the base policy, or the config's `model`. Default: the shipped environment's. */
  readonly model?: string | ConfigInput["model"];
  readonly algorithm?: NonNullable<ConfigInput["train"]>["algorithm"];
  /** The config's `train`: iterations, groupSize, seed, … */
  readonly train?: Omit<NonNullable<ConfigInput["train"]>, "algorithm">;
  readonly workers?: ConfigInput["workers"];
  /** Of the workers, as in the config. */
  readonly isolation?: ConfigInput["isolation"];
  readonly concurrentTasksPerWorker?: ConfigInput["concurrentTasksPerWorker"];
  readonly workerLimits?: ConfigInput["workerLimits"];
  readonly deadlines?: ConfigInput["deadlines"];
  readonly retries?: ConfigInput["retries"];
  readonly store?: ConfigInput["store"];
  readonly audit?: ConfigInput["audit"];
  /** Run directory. Default: `runs/<time>-seed<N>`. */
  readonly out?: string;
  /** Directory of a run that was stopped, to go on with under the same config; in place of `out`. */
  readonly resume?: string;
  /** Once aborted, the batch in hand is finished and the report says `cancelled`. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

/** Options that are the config's own. */
const asInConfig = [
  "workers",
  "isolation",
  "concurrentTasksPerWorker",
  "workerLimits",
  "deadlines",
  "retries",
  "store",
  "audit",
] as const;

/** The whole loop behind one call: roll out under the kernel, learn, store, measure before and after. */
export class Trainer {
  readonly #options: TrainerOptions;
  #control: RunControl | undefined;

  constructor(options: TrainerOptions = {}) {
    this.#options = options;
  }

  /** The configuration that this trainer stands for, checked; `faraday train` would do the same with it. */
  async config(): Promise<ResolvedConfig> {
    const { runner, reward, model, algorithm } = this.#options;
    const input: Record<string, unknown> = {
      env: environmentOf(this.#options.env ?? "sql"),
      kernel: this.#kernel().spec,
      ...(runner === undefined ? {} : { runner: runner.options }),
      ...(reward === undefined ? {} : { reward: reward.options }),
      ...(model === undefined ? {} : { model: typeof model === "string" ? { checkpoint: model } : model }),
      train: { ...this.#options.train, ...(algorithm === undefined ? {} : { algorithm }) },
      ...Object.fromEntries(
        asInConfig.flatMap((key) => (this.#options[key] === undefined ? [] : [[key, this.#options[key]]])),
      ),
    };
    const { config } = await resolveConfig(input, { name: "Trainer" });
    return config;
  }

  /**
   * Runs to the end, with everything on disk in the run directory.
   * @throws {InputError} with everything that is wrong at once, before anything is written.
   */
  async train(): Promise<RunReport> {
    const { out, resume, signal, onEvent } = this.#options;
    const running = train({
      config: await this.config(),
      control: (control) => {
        this.#control = control;
      },
      ...(out === undefined ? {} : { out }),
      ...(resume === undefined ? {} : { resume }),
      ...(signal === undefined ? {} : { signal }),
      ...(onEvent === undefined ? {} : { events: onEvent }),
    });
    return running.finally(() => {
      this.#control = undefined;
    });
  }

  /**
   * Sends a signal to an episode of the run that goes on: SIGSTOP and SIGCONT hold and release it at its next syscall,
   * SIGTERM ends it there, SIGKILL ends it at once, with its worker if need be. One that has ended takes no notice.
   * @param episode `{phase}-{iteration}-{group}-{index}`, such as `train-3-0-7`.
   * @throws {FaradayError} where no run goes on.
   */
  signal(episode: string, signal: AgentSignal): void {
    if (this.#control === undefined) throw new FaradayError(`Trainer.signal: no run goes on that could take ${signal}`);
    this.#control.signal(episode, signal);
  }

  #kernel(): KernelSpace {
    const { kernel, runner, reward } = this.#options;
    const chosen = kernel ?? runner?.kernel ?? reward?.kernel ?? new KernelSpace();
    for (const [name, other] of [
      ["runner", runner?.kernel],
      ["reward", reward?.kernel],
    ] as const) {
      if (other && other !== chosen)
        throw new InputError(`Trainer: ${name} must have the trainer's kernel, got another`);
    }
    if (runner?.customCallback === true) {
      throw new InputError(
        "Trainer: runner.violationCallback is a function and cannot reach the workers; read the violations in the store",
      );
    }
    if (reward?.customBaseReward === true) {
      throw new InputError(
        "Trainer: reward.baseReward is a function and cannot reach the workers; give the reward in the environment's score()",
      );
    }
    return chosen;
  }
}

function environmentOf(env: NonNullable<TrainerOptions["env"]>): ConfigInput["env"] {
  if (env instanceof URL) return { module: fileURLToPath(env) };
  if (typeof env !== "string") return env;
  const isFile = /\.[cm]?[jt]s$/u.test(env);
  return isFile ? { module: isAbsolute(env) ? env : resolve(env) } : { type: env };
}
