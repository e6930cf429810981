import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { cloningMaterial, fewDemonstrations } from "../../src/run/cloning-material.ts";
import { loadEnvironment } from "../../src/run/load-environment.ts";
import { freshFolder } from "./chatter.ts";
import { libraryScript } from "./import/library.ts";

async function materialOf(file: string | undefined, ...sets: string[]) {
  const { config } = await loadConfig({ ...(file === undefined ? {} : { file }), sets });
  return cloningMaterial(await loadEnvironment(config), config);
}

/** A config with one training and one validation task, and a column that may not be read. */
function library(sql = "SELECT home FROM author WHERE name='bo lind'"): string {
  const folder = freshFolder();
  const task = { prompt: "where is bo lind from", sql };
  const tasks = ["train", "val", "test"].map((split) => JSON.stringify({ ...task, id: split, split }));
  writeFileSync(join(folder, "tasks.jsonl"), tasks.join("\n"));
  writeFileSync(join(folder, "library.sql"), libraryScript);
  const policy = { type: "sql", tables: { "*": { select: true }, author: { select: { except: ["home"] } } } };
  const drivers = { sql: { database: "library.sql" } };
  const config = { env: { type: "sql", tasks: "tasks.jsonl" }, kernel: { drivers, policies: [policy] } };
  writeFileSync(join(folder, "faraday.json"), JSON.stringify(config));
  return join(folder, "faraday.json");
}

it("the shipped tasks are many: what they are cloned with is not changed by what few are given", async () => {
  const { demonstrations, validation, values, epochs, batchSize } = await materialOf(undefined);
  expect(demonstrations.length).toBeGreaterThan(fewDemonstrations);
  expect({ validation, values: values.size, epochs, batchSize }).toEqual({
    validation: [],
    values: 0,
    epochs: 40,
    batchSize: 32,
  });
}, 60_000);

it("few demonstrations take values from the database, but none that an agent may not read", async () => {
  const { demonstrations, validation, values, batchSize } = await materialOf(library());
  expect([demonstrations.length, validation.length, batchSize]).toEqual([1, 1, 16]);
  expect(Object.fromEntries(values)).toEqual({
    name: ["ana de souza", "bo lind", "cy o'neal"],
    title: ["peat", "salt roads", "the long thaw"],
  });
});

it("few demonstrations teach plain queries, but only such that return the same rows under the policies", async () => {
  const file = library("SELECT a.name FROM author AS a WHERE a.author_id IN ( SELECT b.author_id FROM book b ) ;");
  const { demonstrations, validation } = await materialOf(file);
  const plain = "select name from author where author_id in(select author_id from book)";
  expect([...demonstrations, ...validation].map(({ actions }) => actions)).toEqual([[plain], [plain]]);
  const quoted = await materialOf(library('SELECT a.name FROM author AS a WHERE a.name="bo lind"'));
  expect(quoted.demonstrations[0]?.actions).toEqual(["select name from author where name='bo lind'"]);
  const kept = await materialOf(file, "pretrain.plainQueries=false");
  expect(kept.demonstrations[0]?.actions[0]).toMatch(/^SELECT a\.name/);
  const denied = await materialOf(library("SELECT a.home FROM author AS a"));
  expect(denied.demonstrations[0]?.actions).toEqual(["SELECT a.home FROM author AS a"]);
});

it("what the config says holds", async () => {
  const { values, epochs } = await materialOf(library(), "pretrain.valueSwap=false", "pretrain.epochs=3");
  expect([values.size, epochs]).toEqual([0, 3]);
});
