import { suggest } from "../config/suggest.ts";
import { FaradayError, InputError, messageOf } from "../core/errors.ts";
import { adviceOn } from "../core/fault.ts";
import type { CommandResult, Terminal } from "./command.ts";
import { parseCommandLine } from "./command-line.ts";
import { commandHelp, overview } from "./help.ts";
import { type CommandEntry, commands } from "./index.ts";
import { packageVersion } from "./package-version.ts";
import { processTerminal } from "./process-terminal.ts";
import { abortOnSignals } from "./signals.ts";

/** Runs this process's command line; sets its exit code. */
export async function main(): Promise<void> {
  const terminal = processTerminal();
  const { signal, release } = abortOnSignals((text) => terminal.stderr.write(`${text}\n`));
  process.exitCode = await runCommandLine(process.argv.slice(2), { terminal, signal });
  release();
}

/** Runs a command line to its end and returns the exit code. Never throws. */
export async function runCommandLine(
  argv: readonly string[],
  { terminal, signal }: { readonly terminal: Terminal; readonly signal: AbortSignal },
): Promise<number> {
  const json = argv.includes("--json");
  try {
    const { json: document, text, exitCode = 0 } = await dispatch(argv, terminal, signal);
    if (!json) terminal.stdout.write(text);
    else if (document !== undefined) terminal.stdout.write(`${JSON.stringify(document)}\n`);
    return exitCode;
  } catch (error) {
    return tellError(error, { terminal, json, verbose: argv.includes("--verbose") });
  }
}

async function dispatch(argv: readonly string[], terminal: Terminal, signal: AbortSignal): Promise<CommandResult> {
  const [name, ...args] = argv;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") return help(args[0]);
  if (name === "--version" || name === "-v")
    return { json: { version: packageVersion() }, text: `${packageVersion()}\n` };
  const command = await findCommand(name).load();
  if (args.includes("--help") || args.includes("-h")) return help(name);
  const line = parseCommandLine(name, command, args);
  return command.run({ ...line, json: line.flag("json"), verbose: line.flag("verbose"), signal, terminal });
}

async function help(name: string | undefined): Promise<CommandResult> {
  const text = name === undefined || name.startsWith("-") ? overview() : await helpOf(findCommand(name));
  return { json: { help: text }, text };
}

async function helpOf({ summary, load }: CommandEntry): Promise<string> {
  return commandHelp(summary, await load());
}

function findCommand(name: string): CommandEntry {
  const found = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (found !== undefined) return found;
  const kind = name.startsWith("-") ? "option" : "command";
  const near = kind === "command" ? suggest(name, Object.keys(commands)) : undefined;
  const hint = near === undefined ? "see faraday --help" : `did you mean ${near}?`;
  throw new InputError(`faraday has no ${kind} ${name}; ${hint}`);
}

/** Where neither the command line nor we are to blame, what to do about the machine. */
function textOf(error: unknown): string {
  const advice = error instanceof InputError ? null : adviceOn(error);
  const said = messageOf(error);
  if (advice !== null) return said.includes(advice) ? said : `${said}: ${advice}`;
  return error instanceof FaradayError ? said : `internal error, please report it: ${said}`;
}

interface Telling {
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly verbose: boolean;
}

function tellError(error: unknown, { terminal, json, verbose }: Telling): number {
  const exitCode = error instanceof FaradayError ? error.exitCode : 1;
  const message = textOf(error);
  terminal.stderr.write(`faraday: ${message}\n`);
  if (verbose && error instanceof Error) terminal.stderr.write(`${error.stack}\n`);
  if (json) terminal.stdout.write(`${JSON.stringify({ error: { message, exitCode } })}\n`);
  return exitCode;
}
