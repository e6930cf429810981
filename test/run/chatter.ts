import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type ConfigInput,
  KernelSpace,
  openStore,
  type RunEvent,
  type RunReport,
  Trainer,
  type TrainerOptions,
} from "../../src/index.ts";
import { type Architecture, initialWeights } from "../../src/model/architecture.ts";
import { saveCheckpoint } from "../../src/model/checkpoint.ts";
import { trainTokenizer } from "../../src/model/tokenizer.ts";
import type { StoredEpisode, StoredRun } from "../../src/store/lightning-store.ts";
import type { faults } from "./chatter-env.ts";

export const chatterModule = fileURLToPath(new URL("chatter-env.ts", import.meta.url));

/** Batches of six groups of four episodes, cut into three tasks for the workers. */
export const chatterTrain = { iterations: 2, groupsPerBatch: 6, groupSize: 4, groupsPerTask: 2, evalEpisodes: 6 };

const tokenizer = trainTokenizer(["a b c"], 1);

export const chatterArchitecture: Architecture = {
  ...{ layers: 1, width: 8, heads: 2, vocabularySize: tokenizer.size, contextTokens: 40, promptTokens: 8 },
  ...{ promptAttention: "causal", copyWidth: 0 },
};

/** A new folder among the system's temporary ones. */
export function freshFolder(): string {
  return mkdtempSync(join(tmpdir(), "faraday-test-"));
}

/** The checkpoint of a policy model that was never trained. */
export function chatterPolicy(): string {
  const folder = join(freshFolder(), "policy");
  const weights = initialWeights(chatterArchitecture, 1);
  saveCheckpoint(folder, { architecture: chatterArchitecture, tokenizer, weights, provenance: {} });
  return folder;
}

type WorkerOptions = Pick<
  TrainerOptions,
  "isolation" | "concurrentTasksPerWorker" | "workerLimits" | "deadlines" | "retries"
>;

export interface ChatterOptions extends WorkerOptions {
  readonly fault?: (typeof faults)[number];
  /** For the fault `exit-once`. */
  readonly mark?: string;
  /** How many tasks there are; each fourth is for tests. */
  readonly tasks?: number;
  readonly train?: NonNullable<ConfigInput["train"]>;
  readonly workers?: number;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

/** A trainer on the chatter environment, with a budget of one syscall an episode, and its run directory. */
export function chatterTrainer(options: ChatterOptions = {}): { readonly trainer: Trainer; readonly out: string } {
  const { fault = "none", mark = "", tasks = 12, train, workers = 2, ...rest } = options;
  const out = join(freshFolder(), "run");
  const { algorithm = "grpo", ...settings } = { ...chatterTrain, ...train };
  const trainerOptions: TrainerOptions = {
    kernel: new KernelSpace({ policies: [{ type: "budget", syscalls: 1 }] }),
    env: { module: chatterModule, fault, mark, tasks },
    model: chatterPolicy(),
    algorithm,
    train: settings,
    workers,
    out,
    ...rest,
  };
  return { trainer: new Trainer(trainerOptions), out };
}

/** What a run has left: its report, its place, and what its store holds. */
export interface ChatterRun {
  readonly report: RunReport;
  readonly out: string;
  readonly episodes: readonly StoredEpisode[];
}

export async function runChatter(options: ChatterOptions = {}): Promise<ChatterRun> {
  const { trainer, out } = chatterTrainer(options);
  const report = await trainer.train();
  return { report, out, episodes: (await storedRun(out)).episodes };
}

/** The one run in the store of a run directory. */
export async function storedRun(out: string): Promise<StoredRun & { readonly episodes: readonly StoredEpisode[] }> {
  await using store = await openStore("sqlite:faraday.db", { baseDir: out, mustExist: true });
  const [run] = await store.runs();
  if (run === undefined) throw new Error(`the store in ${out} holds no run`);
  return { ...run, episodes: await store.episodes(run.id) };
}

/** A config file that says what {@link chatterTrainer} does, in a folder of its own; `changes` replace whole keys. */
export function chatterConfig(changes: Readonly<Record<string, unknown>> = {}): string {
  const file = join(freshFolder(), "chatter.json");
  const config = {
    env: { module: chatterModule },
    kernel: { policies: [{ type: "budget", syscalls: 1 }] },
    model: { checkpoint: chatterPolicy() },
    train: chatterTrain,
    workers: 1,
    ...changes,
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}
