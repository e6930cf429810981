import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chatterConfig, chatterTrain } from "../run/chatter.ts";

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));

/** What the runs of these tests train: small, with a checkpoint after every iteration. */
export const smallTrain = { ...chatterTrain, iterations: 3, checkpointEvery: 1 };

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it has said so far. */
  readonly said: Readonly<Omit<Ended, "exitCode">>;
}

export interface StartOptions {
  readonly cwd?: string;
  /** What runs it, with Node's own command line behind it: `["bash", "-c", "ulimit -n 30; exec \"$@\"", "-"]`. */
  readonly under?: readonly string[];
  readonly node?: readonly string[];
}

/** `faraday …` in a process of its own. */
export function start(args: readonly string[], { cwd, under = [], node = [] }: StartOptions = {}): Running {
  const line = [...under, process.execPath, "--conditions=faraday-source", ...node, cli, ...args];
  const child = spawn(line[0] as string, line.slice(1), {
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const said = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text) => {
    said.stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text) => {
    said.stderr += text;
  });
  const ended = new Promise<Ended>((resolve) => child.once("close", (exitCode) => resolve({ exitCode, ...said })));
  return { child, ended, said };
}

export function smallConfig(changes: Readonly<Record<string, unknown>> = {}): string {
  return chatterConfig({ train: smallTrain, workers: 1, ...changes });
}

/** Resolves once so many lines of events are there, or the process has ended. */
export async function untilEvents(out: string, count: number, { child }: Pick<Running, "child">): Promise<void> {
  while (linesOf(join(out, "events.jsonl")) < count && child.exitCode === null && child.signalCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function linesOf(file: string): number {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;
}

/** The weights that a run ended with. */
export function weightsOf(out: string, { iterations } = smallTrain): Buffer {
  return readFileSync(join(out, "checkpoints", String(iterations), "model.safetensors"));
}
