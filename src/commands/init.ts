import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { InputError, messageOf } from "../core/errors.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";
import { ownEnvironmentFiles, sqlConfig } from "./init-templates.ts";

export const init: Command = {
  usage: ["init [dir] [--environment]"],
  description: `Writes faraday.yaml: the SQL agent, ready for a database and tasks of your own. With --environment it trains on an
environment of your own instead, and my-env.mts is an example of one.`,
  positionals: { min: 0, max: 1, names: ["[dir]"] },
  options: { environment: { summary: "Start from an environment of your own" } },
  examples: ["faraday init my-agent", "faraday init my-robot --environment"],
  run: runInit,
};

async function runInit(invocation: Invocation): Promise<CommandResult> {
  const folder = resolve(invocation.positionals[0] ?? ".");
  const own = invocation.flag("environment");
  const files = own ? ownEnvironmentFiles() : { "faraday.yaml": sqlConfig };
  const written = writeNew(folder, files);
  const config = written[0] ?? "";
  const next = own ? `faraday pretrain ${config} --out ${join(folder, "base-policy")}` : `faraday train ${config}`;
  return { json: { written }, text: `Wrote ${written.join(" and ")}\nNext: ${next}\n` };
}

/** All or nothing: a file that is there already stops it before anything is written. */
function writeNew(folder: string, files: Readonly<Record<string, string>>): readonly string[] {
  const paths = Object.keys(files).map((name) => join(folder, name));
  const present = paths.filter((path) => existsSync(path));
  if (present.length > 0)
    throw new InputError(`init overwrites nothing, and ${present.join(" and ")} is there already`);
  try {
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { flag: "wx" });
  } catch (error) {
    throw new InputError(`init cannot write to ${folder}: ${messageOf(error)}`, { cause: error });
  }
  return paths;
}
