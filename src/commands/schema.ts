import type { Command } from "./command.ts";

export const schema: Command = {
  usage: ["schema [--table]"],
  description: `An editor completes a config that names the schema in its first line:
  # yaml-language-server: $schema=./node_modules/faraday-rl/faraday.schema.json`,
  positionals: { min: 0, max: 0, names: [] },
  options: {
    table: { summary: "Print a Markdown table of every key, with what it may be, its default and its meaning" },
  },
  examples: ["faraday schema > faraday.schema.json", "faraday schema --table"],
  async run(invocation) {
    const { configJsonSchema } = await import("../config/json-schema.ts");
    const { optionsTable } = await import("../config/options-table.ts");
    const document = await configJsonSchema();
    const text = invocation.flag("table") ? optionsTable(document) : `${JSON.stringify(document, null, 2)}\n`;
    return { json: document, text };
  },
};
