import type { Command, CommandResult } from "./command.ts";
import { type Check, checkMachine } from "./doctor-checks.ts";

export const doctor: Command = {
  usage: ["doctor"],
  positionals: { min: 0, max: 0, names: [] },
  options: {},
  examples: ["faraday doctor", "faraday doctor --json"],
  async run(): Promise<CommandResult> {
    const checks = await checkMachine();
    const ok = checks.every((check) => check.ok);
    const closing = ok ? "Everything is there." : "Something that Faraday needs is missing.";
    return {
      json: { ok, checks },
      text: `${checks.map(line).join("\n")}\n\n${closing}\n`,
      exitCode: ok ? 0 : 1,
    };
  },
};

function line({ name, ok, found, remedy }: Check): string {
  const mark = ok ? "ok     " : "missing";
  return `${mark}  ${name}: ${found}${ok ? "" : `\n         ${remedy}`}`;
}
