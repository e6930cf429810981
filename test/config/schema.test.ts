import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { configJsonSchema } from "../../src/config/json-schema.ts";
import { defaultConfigFile } from "../../src/config/load-config.ts";
import { optionsTable } from "../../src/config/options-table.ts";

const root = new URL("../../", import.meta.url);

it("faraday.schema.json is current (npm run schema writes it)", async () => {
  const file = JSON.parse(readFileSync(new URL("faraday.schema.json", root), "utf8"));
  expect(file).toEqual(JSON.parse(JSON.stringify(await configJsonSchema())));
});

it("docs/configuration.md tells every key as the schema has it (npm run schema writes it)", async () => {
  const docs = readFileSync(new URL("docs/configuration.md", root), "utf8");
  expect(docs).toContain(optionsTable(await configJsonSchema()));
});

it("every key has a meaning", async () => {
  const table = optionsTable(await configJsonSchema());
  expect(table.split("\n").filter((row) => row.endsWith("|  |"))).toEqual([]);
});

it("the shipped config names the schema in its first line, for editors", () => {
  const [first] = readFileSync(defaultConfigFile, "utf8").split("\n");
  const place = /\$schema=(?<place>\S+)$/.exec(first ?? "")?.groups?.place ?? "";
  expect(new URL(place, `file://${defaultConfigFile}`).href).toBe(new URL("faraday.schema.json", root).href);
});
