import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { InputError, messageOf } from "../core/errors.ts";
import { aligned } from "../report/aligned.ts";
import { holderOf, lockName } from "../run/run-lock.ts";
import { type RunStatusFile, runStatus, statusName, type TaskStatus } from "../run/run-status.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";

export const status: Command = {
  usage: ["status <run>"],
  description: `<run> is a run directory. Of a training that goes on it says how far it is, and what each worker does and since when. A task that
has used up half of its deadline is marked as stuck, with its last syscall. A process that was killed is told as dead.`,
  positionals: { min: 1, max: 1, names: ["<run>"] },
  options: { watch: { summary: "Say it anew every second until the run ends" } },
  examples: ["faraday status runs/second", "faraday status runs/second --watch"],
  run: tellStatus,
};

const watchMs = 1_000;

/** What the file says, and whether the process lives that writes it. */
type LiveStatus = Omit<RunStatusFile, "status"> & { readonly status: RunStatusFile["status"] | "dead" };

async function tellStatus(invocation: Invocation): Promise<CommandResult> {
  const { signal, terminal, json } = invocation;
  const directory = resolve(invocation.positionals[0] ?? "");
  let now = readStatus(directory);
  while (invocation.flag("watch") && now.status === "running" && !signal.aborted) {
    terminal.stdout.write(json ? `${JSON.stringify(now)}\n` : `${statusText(now)}\n`);
    await sleep(watchMs, undefined, { signal }).catch(() => {});
    now = readStatus(directory);
  }
  return { json: now, text: statusText(now) };
}

/** @throws {InputError} where there is none. */
function readStatus(directory: string): LiveStatus {
  const file = join(directory, statusName);
  if (!existsSync(file)) {
    const reason = existsSync(join(directory, "config.json"))
      ? `it has no ${statusName}: it was made by an older Faraday, or died as it began`
      : "it is no run directory";
    throw new InputError(`status needs the directory of a run, got ${directory}: ${reason}`);
  }
  const written = parseStatus(file);
  const isDead = written.status === "running" && holderOf(join(directory, lockName)) !== written.pid;
  return isDead ? { ...written, status: "dead", tasks: [] } : written;
}

function parseStatus(file: string): RunStatusFile {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new InputError(`${file} is not the status of a run: ${messageOf(error)}`, { cause: error });
  }
  const { data, error } = runStatus.safeParse(json);
  if (data !== undefined) return data;
  const problems = error.issues.slice(0, 3).map(({ path, message }) => `${path.join(".") || "all of it"}: ${message}`);
  throw new InputError(
    `${file} is not the status of a run as this Faraday writes it; ask the version that made the run (${problems.join("; ")})`,
  );
}

function statusText(now: LiveStatus): string {
  const { run, iteration, iterations, episodesPerSecond, faults } = now;
  const speed = episodesPerSecond === null ? "" : `, ${episodesPerSecond.toFixed(1)} episodes/s`;
  const retries = Object.entries(faults.retries).map(([kind, count]) => `${kind} ${count}`);
  return [
    `${run}: ${stateOf(now)}, iteration ${iteration} of ${iterations}${speed}`,
    ...(now.tasks.length === 0 ? [] : ["", aligned([taskHead, ...now.tasks.map(taskRow)])]),
    ...(retries.length === 0 ? [] : ["", `Tried again: ${retries.join(", ")}`]),
    ...(faults.quarantinedTasks.length === 0 ? [] : [`Quarantined tasks: ${faults.quarantinedTasks.join(", ")}`]),
    ...faults.newest.map(({ at, reason, episode }) => `${at} ${episode === undefined ? "" : `${episode}: `}${reason}`),
    "",
  ].join("\n");
}

function stateOf({ status: state, pid, at }: LiveStatus): string {
  if (state === "running") return `running in process ${pid}`;
  if (state === "dead") return `dead: process ${pid} was last heard of at ${at}; go on with faraday train --resume`;
  return `${state} at ${at}`;
}

const taskHead = ["worker", "stage", "seconds", "episodes", "episode", "syscalls", "last syscall", ""];

function taskRow(task: TaskStatus): string[] {
  const { worker, stage, seconds, episodes, episode, syscalls, syscall } = task;
  const cells = [worker === 0 ? "-" : worker, stage, seconds.toFixed(1), episodes, episode ?? "-", syscalls];
  return [...cells.map(String), syscall || "-", isStuck(task) ? "stuck" : ""];
}

function isStuck({ seconds, deadlineSeconds }: TaskStatus): boolean {
  return deadlineSeconds !== null && seconds > deadlineSeconds / 2;
}
