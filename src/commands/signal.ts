import { appendFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { agentSignals } from "../core/audit.ts";
import { InputError, messageOf } from "../core/errors.ts";
import { holderOf, lockName } from "../run/run-lock.ts";
import { signalFile, signalRequest } from "../run/signal-inbox.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";

export const signal: Command = {
  usage: [`signal <run> <episode> <${agentSignals.join(" | ")}>`],
  description: `<run> is the run directory of a training that goes on, <episode> an id such as train-3-0-7 (phase, iteration, group,
index). SIGSTOP holds it at its next syscall, SIGCONT lets it go on, SIGTERM ends it at its next syscall, SIGKILL at
once, whatever it is doing. Each is in the audit log. Held episodes hold the others of their task too.`,
  positionals: { min: 3, max: 3, names: ["<run>", "<episode>", "<signal>"] },
  options: {},
  examples: ["faraday signal runs/second train-3-0-7 SIGKILL"],
  run: sendSignal,
};

async function sendSignal({ positionals }: Invocation): Promise<CommandResult> {
  const [run = "", episode, name] = positionals;
  const directory = resolve(run);
  const request = signalRequest.safeParse({ episode, signal: name });
  if (!request.success) {
    throw new InputError(
      `faraday signal takes an episode and one of ${agentSignals.join(", ")}, got ${episode} ${name}`,
    );
  }
  checkGoesOn(directory);
  try {
    appendFileSync(join(directory, signalFile), `${JSON.stringify(request.data)}\n`);
  } catch (error) {
    throw new InputError(`cannot write ${join(directory, signalFile)}: ${messageOf(error)}`, { cause: error });
  }
  return {
    json: request.data,
    text: `${name} is on its way to ${episode}; events.jsonl says when the run has taken it\n`,
  };
}

function checkGoesOn(directory: string): void {
  if (holderOf(join(directory, lockName)) !== null) return;
  throw new InputError(`no run goes on in ${directory}; signals reach episodes of a training under way alone`);
}
