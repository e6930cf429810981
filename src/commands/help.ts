import type { Command, OptionSpec } from "./command.ts";
import { commonOptions } from "./command-line.ts";
import { commands } from "./index.ts";

const exitCodes = `Exit codes:
  0  done
  1  the work failed, or was cancelled
  2  bad usage, config or input`;

/** What `faraday --help` prints. */
export function overview(): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => [name, summary] as const);
  return `Trains tool-using AI agents by reinforcement learning inside a safety kernel.

Usage:
  faraday <command> [options]

Commands:
${columns(rows)}

Options:
${columns([
  ["--help", "Print this help, or that of a command"],
  ["--version", "Print the version"],
])}

${exitCodes}

\`faraday train\` without a config trains the shipped SQL agent. \`faraday <command> --help\` says more.
`;
}

/** What `faraday <command> --help` prints. */
export function commandHelp(summary: string, command: Command): string {
  const sections = [
    `${summary}.`,
    `Usage:\n${command.usage.map((form) => `  faraday ${form}`).join("\n")}`,
    command.description,
    `Options:\n${columns(Object.entries({ ...command.options, ...commonOptions }).map(optionRow))}`,
    `Examples:\n${command.examples.map((example) => `  ${example}`).join("\n")}`,
    exitCodes,
  ];
  return `${sections.filter((section) => section !== undefined).join("\n\n")}\n`;
}

function optionRow([name, { value, multiple = false, summary, default: fallback }]: [string, OptionSpec]) {
  const form = `--${name}${value === undefined ? "" : ` ${value}`}${multiple ? " ..." : ""}`;
  return [form, fallback === undefined ? summary : `${summary} (default: ${fallback})`] as const;
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
