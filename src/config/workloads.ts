import { fileURLToPath } from "node:url";
import { InputError } from "../core/errors.ts";
import { got } from "./expectation.ts";
import { suggest } from "./suggest.ts";

/** What `faraday bench` can measure by name: a shipped config, and settings over it. */
export interface Workload {
  readonly name: string;
  /** In a line, without a full stop. */
  readonly summary: string;
  /** Absolute path of the config. */
  readonly file: string;
  /** `path=value` settings, which a user's own come after. */
  readonly sets: readonly string[];
  /** What it is measured against in the same run. */
  readonly against?: "piscina" | "single-thread";
  /** Whether its batches are stored where nobody says otherwise. */
  readonly stored: boolean;
  /** Whether it is run under the kernel where nobody says otherwise. */
  readonly governed: boolean;
}

export const workloads: readonly Workload[] = [
  workload("sql", "sql/default.yaml", { summary: "the shipped SQL agent: its policy model, its tasks" }),
  workload("sql-scripted", "sql/default.yaml", {
    summary: "a scripted SQL agent: two statements an episode, one episode in eight violating",
    sets: [
      ...["agent={ type: sql-script }", "env.tasks=scripted-tasks.jsonl"],
      ...["train.groupsPerBatch=256", "train.groupsPerTask=32", "train.oracle=false"],
    ],
    against: "single-thread",
  }),
  workload("echo", "echo/default.yaml", {
    summary: "empty episodes without kernel and store: orchestration alone",
    stored: false,
    governed: false,
    against: "piscina",
  }),
  workload("echo-spans", "echo/default.yaml", {
    summary: "the same with four syscalls an episode, recorded together: five spans with its own",
    sets: ["agent.syscalls=4", "audit.calls=together"],
    against: "piscina",
  }),
  workload("wait", "echo/default.yaml", {
    summary: "an agent that thinks for 50 to 500 ms, as a remote model does, 10,000 episodes at once",
    // Four tasks of 2,500 episodes, all of whose agents think at once.
    sets: [
      ...["agent={ type: wait }", "concurrentTasksPerWorker=4"],
      ...["train.groupsPerBatch=500", "train.groupsPerTask=125", "train.groupSize=20"],
    ],
  }),
  workload("control", "control/default.yaml", {
    summary: "CartPole-v1 pushed by chance, with a cost on leaving a band: the classic measure of steps a second",
  }),
];

/** @throws {InputError} where there is none of that name. */
export function findWorkload(name: string): Workload {
  const names = workloads.map((each) => each.name);
  const found = workloads.find((each) => each.name === name);
  if (found !== undefined) return found;
  const near = suggest(name, names);
  const hint = near === undefined ? "; a config of your own is named without --workload" : `; did you mean ${near}?`;
  throw new InputError(`--workload must be of ${names.join(", ")}, got ${got(name)}${hint}`);
}

function workload(
  name: string,
  path: string,
  {
    sets = [],
    stored = true,
    governed = true,
    ...rest
  }: Pick<Workload, "summary" | "against"> & Partial<Pick<Workload, "sets" | "stored" | "governed">>,
): Workload {
  return { name, file: fileURLToPath(new URL(`../../envs/${path}`, import.meta.url)), sets, stored, governed, ...rest };
}
