import { createInterface } from "node:readline/promises";
import type { ChosenEnvironment } from "../config/environment.ts";
import { loadConfig } from "../config/load-config.ts";
import type { EpisodeKey } from "../core/episode.ts";
import { InputError } from "../core/errors.ts";
import type { Syscall, SyscallResult } from "../core/syscall.ts";
import type { KernelSession } from "../kernel/kernel-session.ts";
import type { KernelSpace } from "../kernel/kernel-space.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";
import { configOptions } from "./config-options.ts";

export const kernel: Command = {
  summary: "Let another program act through a kernel: syscalls in, results out, one a line",
  usage: ["kernel run <config> [--fresh]"],
  description: `Reads {"id"?, "syscall", "args"} from stdin, one JSON object a line, and answers each in order with {"id", "verdict",
"violations", "outcome", "result"?, "error"?}. A line that is no syscall is denied. With --json the answers are one array.`,
  positionals: { min: 2, max: 2, names: ["run", "<config>"] },
  options: {
    fresh: { summary: "Restore the state before each line", default: "it carries over" },
    set: configOptions.set,
  },
  examples: [`echo '{"id": 1, "syscall": "sql.query", "args": {"sql": "SELECT 1"}}' | faraday kernel run faraday.yaml`],
  run: runKernel,
};

async function runKernel(invocation: Invocation): Promise<CommandResult> {
  const [action, file] = invocation.positionals;
  if (action !== "run") throw new InputError(`faraday kernel has no action ${JSON.stringify(action)}; it has run`);
  const { config, environment } = await loadConfig({ file, sets: invocation.values("set") });
  const kernelSpace = await import("../kernel/kernel-space.ts");
  using space = new kernelSpace.KernelSpace(config.kernel);
  await space.boot(await driverDefaults(environment, config.baseDir));
  const { stdin, stdout } = invocation.terminal;
  const lines = createInterface({ input: stdin, signal: invocation.signal });
  let count = 0;
  for await (const answer of answers(lines, { space, fresh: invocation.flag("fresh") })) {
    stdout.write(`${invocation.json ? (count === 0 ? "[" : ",") : ""}${toJson(answer)}\n`);
    count++;
  }
  if (invocation.json) stdout.write(count === 0 ? "[]\n" : "]\n");
  return { json: undefined, text: "" };
}

type Answer = SyscallResult & { readonly id: unknown };

async function* answers(
  lines: AsyncIterable<string>,
  { space, fresh }: { readonly space: KernelSpace; readonly fresh: boolean },
): AsyncGenerator<Answer> {
  let session: KernelSession | undefined;
  let sessions = 0;
  for await (const line of lines) {
    if (line.trim() === "") continue;
    if (fresh) session?.close();
    if (session === undefined || fresh) session = space.open({ episode: episodeKey(sessions++) });
    const { id, syscall } = parseLine(line);
    yield { id, ...(await session.execute(syscall)) };
    // Nobody keeps the record of a bare kernel; unsealed, it would grow with every line.
    space.recorder.seal();
  }
  session?.close();
}

async function driverDefaults({ definition, options }: ChosenEnvironment, baseDir: string) {
  const { driverDefaults } = await definition.load(options, { baseDir });
  return driverDefaults === undefined ? {} : { driverDefaults };
}

/** The syscalls of a session are one episode, which nobody trains on. */
function episodeKey(index: number): EpisodeKey {
  return {
    ...{ id: `eval-0-${index}-0`, phase: "eval", iteration: 0, group: index, index: 0 },
    ...{ task: "kernel-run", split: "test", seed: 0, weights: 0 },
  };
}

/** What is no syscall is left to the kernel, which denies it. */
function parseLine(line: string): { readonly id: unknown; readonly syscall: Syscall } {
  const { id = null, ...syscall } = parseObject(line);
  return { id, syscall: syscall as unknown as Syscall };
}

function parseObject(line: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}

/** What JSON lacks is tagged as it is in audit records. */
function toJson(answer: Answer): string {
  return JSON.stringify(answer, (_, value: unknown) => {
    if (typeof value === "bigint") return { $bigint: String(value) };
    if (typeof value === "number" && !Number.isFinite(value)) return { $number: String(value) };
    return value instanceof Uint8Array ? { $bytes: Buffer.from(value).toString("base64") } : value;
  });
}
