import { loadConfig } from "../config/load-config.ts";
import type { Driver, Environment } from "../core/env.ts";
import type { EpisodeKey } from "../core/episode.ts";
import { InputError } from "../core/errors.ts";
import type { Syscall, SyscallResult } from "../core/syscall.ts";
import type { KernelSession } from "../kernel/kernel-session.ts";
import type { KernelSpace } from "../kernel/kernel-space.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";
import { configOptions } from "./config-options.ts";
import { readLines } from "./read-lines.ts";

const actions = { run: runKernel, lint: lintKernel, hash: hashKernel };

export const kernel: Command = {
  usage: ["kernel run <config> [--fresh]", "kernel lint <config>", "kernel hash <config>"],
  description: `run reads {"id"?, "syscall", "args"} from stdin, one JSON object a line, and answers each in order with {"id", "verdict",
"violations", "outcome", "args"?, "result"?, "error"?}: "args" is what policies made of the arguments, where they changed
them. A line that is no syscall is denied. With --json the answers are one array. Drivers are those of the config, and of
the first task of its environment where that has its own.

lint names rules that can never fire, are shadowed by others or ask for what is not there, and ends with exit code 1
where it finds any. hash prints the hash of the policy set, which every audit record carries; lint prints it, too.`,
  positionals: { min: 2, max: 2, names: ["run | lint | hash", "<config>"] },
  options: {
    fresh: { summary: "With run: restore the state before each line", default: "it carries over" },
    set: configOptions.set,
  },
  examples: [
    `echo '{"id": 1, "syscall": "sql.query", "args": {"sql": "SELECT 1"}}' | faraday kernel run faraday.yaml`,
    "faraday kernel lint faraday.yaml --set kernel.policies.0.mode=shadow",
  ],
  async run(invocation) {
    const [action = ""] = invocation.positionals;
    const run = Object.hasOwn(actions, action) ? actions[action as keyof typeof actions] : undefined;
    if (run !== undefined) return run(invocation);
    throw new InputError(`faraday kernel has no action ${JSON.stringify(action)}; it has run, lint and hash`);
  },
};

/** A booted kernel of the config that the command line names, and its environment. */
async function openKernel(invocation: Invocation) {
  const { config, environment: chosen } = await loadConfig({
    file: invocation.positionals[1],
    sets: invocation.values("set"),
  });
  const kernelSpace = await import("../kernel/kernel-space.ts");
  const space = new kernelSpace.KernelSpace(config.kernel);
  const environment = await chosen.definition.load(chosen.options, { baseDir: config.baseDir });
  const { driverDefaults } = environment;
  await space.boot(driverDefaults === undefined ? {} : { driverDefaults });
  return { config, environment, space };
}

async function hashKernel(invocation: Invocation): Promise<CommandResult> {
  using space = (await openKernel(invocation)).space;
  return { json: { policies: space.policySetHash }, text: `${space.policySetHash}\n` };
}

async function lintKernel(invocation: Invocation): Promise<CommandResult> {
  const { config, environment, space } = await openKernel(invocation);
  using _ = space;
  const { lint } = await import("../kernel/lint/lint.ts");
  const { surroundingsOf } = await import("../kernel/lint/surroundings.ts");
  const drivers = driversOf(environment, space);
  const found = lint(config.kernel.policies, {
    ...surroundingsOf(space, drivers),
    hasResolver: config.kernel.resolver !== undefined,
  });
  const lines = found.map(({ path, problem }) => `${path} ${problem}`);
  const summary = found.length === 0 ? "Every rule can fire." : `${found.length} found.`;
  return {
    json: { ok: found.length === 0, policies: space.policySetHash, findings: found },
    text: `${[...lines, summary, `Policy set ${space.policySetHash}`].join("\n")}\n`,
    exitCode: found.length === 0 ? 0 : 1,
  };
}

/** Drivers of the environment's first task; `null` where it cannot be started here. */
function driversOf(environment: Environment, space: KernelSpace): Readonly<Record<string, Driver>> | null {
  const [task] = environment.tasks;
  if (task === undefined) return null;
  using session = space.open({ episode: episodeKey(0), governed: false });
  try {
    return environment.start(task, { seed: 0, world: session.world }).drivers ?? {};
  } catch {
    return null;
  }
}

async function runKernel(invocation: Invocation): Promise<CommandResult> {
  const { environment, space: opened } = await openKernel(invocation);
  using space = opened;
  const drivers = driversOf(environment, space) ?? {};
  const { stdin, stdout } = invocation.terminal;
  const lines = readLines(stdin, invocation.signal);
  let count = 0;
  const fresh = invocation.flag("fresh");
  for await (const answer of answers(lines, { space, fresh, drivers })) {
    stdout.write(`${invocation.json ? (count === 0 ? "[" : ",") : ""}${toJson(answer)}\n`);
    count++;
  }
  if (invocation.json) stdout.write(count === 0 ? "[]\n" : "]\n");
  return { json: undefined, text: "" };
}

type Answer = SyscallResult & { readonly id: unknown };

async function* answers(
  lines: AsyncIterable<string>,
  {
    space,
    fresh,
    drivers,
  }: {
    readonly space: KernelSpace;
    readonly fresh: boolean;
    readonly drivers: Readonly<Record<string, Driver>>;
  },
): AsyncGenerator<Answer> {
  let session: KernelSession | undefined;
  let sessions = 0;
  for await (const line of lines) {
    if (line.trim() === "") continue;
    if (fresh) session?.close();
    if (session === undefined || fresh) session = space.open({ episode: episodeKey(sessions++), drivers });
    const { id, syscall } = parseLine(line);
    yield { id, ...(await session.execute(syscall)) };
    // Nobody keeps the record of a bare kernel; unsealed, it would grow with every line.
    space.recorder.seal();
  }
  session?.close();
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
