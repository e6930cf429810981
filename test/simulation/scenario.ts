import { fileURLToPath } from "node:url";
import type { ResolvedConfig } from "../../src/config/config-schema.ts";
import { resolveConfig } from "../../src/config/load-config.ts";
import { Chance } from "./chance.ts";
import { chosenFaults, type Fault } from "./faults.ts";
import { Kills } from "./kills.ts";

/** How a process of the run ends that neither finishes nor fails. */
export interface Interruption {
  readonly how: "kill" | "cancel";
  /** At which move of the simulated clock. */
  readonly at: number;
}

/** What a task can do to every worker that has it. */
const poisons = ["step-dies", "step-hangs", "step-fills-heap", "reset-dies"] as const;
/** Processes after which nothing goes wrong any more, so that every run comes to its end. */
const troubledProcesses = 4;

const base = await resolveConfig({
  env: { module: fileURLToPath(new URL("lamps-env.ts", import.meta.url)) },
  kernel: { policies: [{ type: "budget", syscalls: 2 }] },
  model: { checkpoint: "lamps" },
  deadlines: { bootMs: 2000, resetMs: 1000, stepMs: 1000, scoreMs: 1000, storeMs: 3000, episodeMs: 8000 },
});

/** All that one seed stands for: a training, what goes wrong in it, and how often it is stopped. */
export class Scenario {
  readonly seed: number;
  readonly chance: Chance;
  readonly config: ResolvedConfig;
  /** How probable each fault is, each time that it could happen. */
  readonly rates: ReadonlyMap<Fault, number>;
  readonly poison: { readonly task: string; readonly fault: Fault } | null;
  /** How often each fault has happened. */
  readonly happened = new Map<Fault, number>();
  readonly kills = new Kills();
  #process = 0;

  /** @param rates In the place of those that the seed has. */
  constructor(seed: number, rates?: ReadonlyMap<Fault, number>) {
    this.seed = seed;
    this.chance = new Chance(seed);
    this.config = configOf(this.chance);
    const kinds = this.chance.between("fault kinds", 0, 5);
    const chosen = Array.from({ length: kinds }, (): [Fault, number] => [
      this.chance.pick("fault", chosenFaults),
      this.chance.pick("rate", [0.01, 0.05, 0.3]),
    ]);
    const killRate = this.chance.pick("kill rate", [0, 0, 0, 0, 0, 0.01, 0.05, 0.2]);
    this.rates = rates ?? new Map([...chosen, ["episode-killed", killRate]]);
    const isPoisoned = this.chance.number("is poisoned") < 0.1;
    const task = this.chance.pick("poisoned", ["train-lamp-0", "test-lamp-0"]);
    this.poison = isPoisoned ? { task, fault: this.chance.pick("poison", poisons) } : null;
  }

  /** Begins the next process of the run. */
  nextProcess(): { readonly interruption: Interruption | null } {
    this.#process++;
    this.kills.forget();
    const how = this.chance.pick("interruption", ["kill", "kill", "cancel", null, null, null] as const);
    const at = this.chance.between("interrupted at", 1, this.chance.pick("latest", [20, 400, 1500]));
    return { interruption: how === null || this.#isCalm ? null : { how, at } };
  }

  /** @param place A task of the environment, or what is stored: where it could happen. */
  happens(fault: Fault, place: string): boolean {
    if (this.#isCalm) return false;
    const isPoison = this.poison?.fault === fault && this.poison.task === place;
    const rate = this.rates.get(fault) ?? 0;
    if (!isPoison && (rate === 0 || this.chance.number(`${fault} ${place}`) >= rate)) return false;
    this.happened.set(fault, (this.happened.get(fault) ?? 0) + 1);
    return true;
  }

  /** What a reader of a failing seed wants to know first. */
  get description(): Readonly<Record<string, unknown>> {
    const { workers, concurrentTasksPerWorker, workerLimits, retries, train } = this.config;
    const { poison, rates } = this;
    return { workers, concurrentTasksPerWorker, workerLimits, retries, train, poison, rates };
  }

  get #isCalm(): boolean {
    return this.#process > troubledProcesses;
  }
}

/** The same training with nothing wrong, in one process. */
export function calmScenario(config: ResolvedConfig): Pick<Scenario, "chance" | "config" | "happens" | "kills"> {
  return { chance: new Chance(0), config, happens: () => false, kills: new Kills() };
}

function configOf(chance: Chance): ResolvedConfig {
  const one = <Item>(name: string, ...items: readonly Item[]) => chance.pick(name, items);
  const { config } = base;
  const evalEvery = one("evalEvery", 0, 0, 1);
  return {
    ...config,
    workers: one("workers", 1, 2, 3),
    concurrentTasksPerWorker: one("tasks", 1, 1, 2),
    workerLimits: { ...config.workerLimits, episodes: one("limit", 0, 0, 7) },
    retries: {
      ...config.retries,
      ...{ died: one("died", 0, 1, 2), outOfMemory: one("memory", 0, 1), timedOut: one("timedOut", 0, 1) },
      ...{ corrupt: one("corrupt", 0, 1), boots: one("boots", 1, 5), taskFaults: one("taskFaults", 1, 3, 5) },
      onQuarantine: one("onQuarantine", "go-on", "go-on", "go-on", "stop"),
    },
    train: {
      ...config.train,
      ...{ seed: one("seed", 1, 2, 3), iterations: one("iterations", 1, 2, 2, 3), groupsPerBatch: 2, groupSize: 3 },
      ...{ groupsPerTask: one("groupsPerTask", 1, 2), evalEpisodes: 2, minibatchEpisodes: 4, learningRate: 0.05 },
      ...{ evalEvery, keepBest: evalEvery > 0 && one("keepBest", true, false), checkpointEvery: one("save", 0, 1) },
      incompleteGroups: one("incompleteGroups", "mask", "complete"),
      dynamicSampling: one("dynamicSampling", undefined, undefined, { refillsMax: 1 }),
      async: one("async", undefined, undefined, { stalenessMax: 1 }),
    },
  };
}
