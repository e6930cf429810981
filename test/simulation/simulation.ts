import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadAuditKey } from "../../src/audit/audit-key.ts";
import type { Environment } from "../../src/core/env.ts";
import { FaradayError, messageOf } from "../../src/core/errors.ts";
import type { RunReport } from "../../src/report/run-report.ts";
import { beginRun } from "../../src/run/begin-run.ts";
import type { RunEvent } from "../../src/run/events.ts";
import { finishRun } from "../../src/run/finish-run.ts";
import { loadEnvironment } from "../../src/run/load-environment.ts";
import { Planner } from "../../src/run/plan.ts";
import { finishedReport, resumeRun, tasksDigest } from "../../src/run/resume.ts";
import { RolloutPool } from "../../src/run/rollout-pool.ts";
import { RunDirectory } from "../../src/run/run-directory.ts";
import { TrainingRun } from "../../src/run/training-run.ts";
import type { LightningStore } from "../../src/store/lightning-store.ts";
import { openStore } from "../../src/store/open.ts";
import { checkLeftovers } from "./audit-findings.ts";
import { faultyStore } from "./faulty-store.ts";
import { lampsModel } from "./lamps-model.ts";
import type { Scenario } from "./scenario.ts";
import { SimulatedProcess } from "./simulated-time.ts";
import { SimulatedWorkers } from "./simulated-workers.ts";

/** Most processes that a run may need: the last ones are left in peace. */
const processesMax = 8;

/** How one process of a run came to its end. */
export interface ProcessEnd {
  readonly how: "finished" | "cancelled" | "failed" | "killed";
  readonly message: string;
  readonly moves: number;
}

/** A whole training under one seed, over all the processes that it took. */
export interface Simulation {
  readonly scenario: Scenario;
  readonly environment: Environment;
  /** Run directory of the processes that count: what was killed before it began was begun anew. */
  readonly out: string;
  readonly ends: readonly ProcessEnd[];
  /** Of the last process. */
  readonly report: RunReport;
}

/** Where run directories are: in memory where the system has such a folder, since every file is brought to the disk. */
export const simulationFolder = mkdtempSync(
  join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "faraday-simulation-"),
);
const emptyStore = join(simulationFolder, "empty.db");

/** Makes once what every simulation begins with. */
export async function prepareSimulations(): Promise<void> {
  process.env.XDG_CONFIG_HOME = simulationFolder;
  const folder = join(simulationFolder, "template");
  mkdirSync(folder);
  await (await openStore("sqlite:faraday.db", { baseDir: folder }))[Symbol.asyncDispose]();
  copyFileSync(join(folder, "faraday.db"), emptyStore);
}

/**
 * @param tell Told each event of the run and the end of each of its processes.
 * @throws Error where a process hangs, fails for a reason that it does not give, or the run never ends.
 */
export async function simulate(scenario: Scenario, tell: (what: unknown) => void): Promise<Simulation> {
  const environment = await loadEnvironment(scenario.config);
  const folder = mkdtempSync(join(simulationFolder, `${scenario.seed}-`));
  const ends: ProcessEnd[] = [];
  let out = join(folder, "run-1");
  while (ends.length < processesMax) {
    if (existsSync(out) && !existsSync(join(out, "config.json"))) out = join(folder, `run-${ends.length + 1}`);
    const { report, ...end } = await new TrainingProcess({ scenario, environment, out, tell }).live();
    ends.push(end);
    tell(end);
    if (existsSync(join(out, "config.json"))) await checkLeftovers(out);
    if (report?.status === "succeeded") return { scenario, environment, out, ends, report };
  }
  throw new Error(
    `the run has not finished in ${processesMax} processes: ${ends.map(({ message }) => message).join("; ")}`,
  );
}

interface ProcessParts {
  readonly scenario: Scenario;
  readonly environment: Environment;
  readonly out: string;
  readonly tell: (what: unknown) => void;
}

/** What `faraday train` does, and `--resume`, on simulated workers and time. */
class TrainingProcess {
  readonly #parts: ProcessParts;
  readonly #process = new SimulatedProcess();
  readonly #stop = new AbortController();
  #directory: RunDirectory | undefined;
  readonly #stores: LightningStore[] = [];

  constructor(parts: ProcessParts) {
    this.#parts = parts;
  }

  async live(): Promise<ProcessEnd & { readonly report: RunReport | null }> {
    const { interruption } = this.#parts.scenario.nextProcess();
    let moves = 0;
    const end = await this.#process.live(this.#train(), (count) => {
      moves = count;
      if (interruption?.at !== moves) return undefined;
      if (interruption.how === "kill") return "kill";
      this.#stop.abort();
      return undefined;
    });
    for (const store of this.#stores) await store[Symbol.asyncDispose]();
    if (end === null) {
      this.#leaveLock();
      return { how: "killed", message: "", moves, report: null };
    }
    if (end.status === "rejected") {
      if (!(end.reason instanceof FaradayError)) throw end.reason;
      return { how: "failed", message: messageOf(end.reason), moves, report: null };
    }
    const how = end.value.status === "succeeded" ? "finished" : "cancelled";
    return { how, message: "", moves, report: end.value };
  }

  async #train(): Promise<RunReport> {
    const { scenario, environment, out, tell } = this.#parts;
    const { config } = scenario;
    const isResumed = existsSync(out);
    if (isResumed) {
      const finished = await this.#process.real(finishedReport(out, config));
      if (finished !== null) return finished;
    }
    using directory = isResumed ? RunDirectory.resume(out) : RunDirectory.create(out);
    this.#directory = directory;
    const tasks = tasksDigest(environment.tasks);
    const key = loadAuditKey();
    const parts = { directory, key, checkpoint: lampsModel, tasks, openStore: this.#openStore };
    const begun = isResumed ? await resumeRun(config, parts) : await beginRun(config, directory, key, this.#openStore);
    await using store = begun.store;
    const { audit, epoch, earlier } = begun;
    if (earlier !== null) directory.remove("report.json");
    const emit = (event: RunEvent) => tell(event);
    await using pool = new RolloutPool(config, lampsModel, emit, { epoch }, (options) => {
      const kill = (episode: string) => pool.signal(episode, "SIGKILL");
      return new SimulatedWorkers(options, { scenario, process: this.#process, kill });
    });
    const run = new TrainingRun({
      ...{
        config,
        planner: new Planner(environment.tasks, config.train),
        checkpoint: lampsModel,
        pool,
        audit,
        directory,
      },
      ...{ tasks, earlier, signal: this.#stop.signal, emit },
    });
    const log = { warn: () => {}, error: () => {} };
    return await finishRun(run, { directory, store, log, emit, telemetry: null, deadlines: config.deadlines });
  }

  readonly #openStore = async (url: string, options: { readonly baseDir: string }): Promise<LightningStore> => {
    const path = join(options.baseDir, "faraday.db");
    if (!existsSync(path)) copyFileSync(emptyStore, path);
    const store = await this.#process.real(openStore(url, options));
    this.#stores.push(store);
    return faultyStore(store, this.#parts.scenario, this.#process);
  };

  /** The lock that a process leaves behind that is no more. */
  #leaveLock(): void {
    if (this.#directory === undefined) return;
    this.#directory[Symbol.dispose]();
    if (existsSync(this.#directory.path)) writeFileSync(this.#directory.file("run.lock"), "999999999\n");
  }
}

export function removeSimulation({ out }: Simulation): void {
  rmSync(join(out, ".."), { recursive: true, force: true });
}
