/** Writes faraday.schema.json and the table of docs/configuration.md; a test checks that both are current. */
import { readFileSync, writeFileSync } from "node:fs";
import { configJsonSchema } from "../src/config/json-schema.ts";
import { optionsTable } from "../src/config/options-table.ts";

const schema = await configJsonSchema();
writeFileSync("faraday.schema.json", `${JSON.stringify(schema, null, 2)}\n`);

const docs = "docs/configuration.md";
const marked = /(<!-- options -->\n)[\s\S]*(<!-- end of options -->)/;
writeFileSync(
  docs,
  readFileSync(docs, "utf8").replace(marked, (_, open, close) => `${open}${optionsTable(schema)}${close}`),
);
