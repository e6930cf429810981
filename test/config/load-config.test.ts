import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { defaultConfigFile, loadConfig, resolveConfig } from "../../src/config/load-config.ts";
import { environmentModule, folderWith } from "./write-config.ts";

const written = {
  env: { module: "./tiny.mjs", file: "tasks.jsonl" },
  kernel: { drivers: { sql: { database: "shop.sql" } }, policies: [{ type: "budget", syscalls: 3 }] },
  model: { checkpoint: "base/" },
  train: { algorithm: "GRPO", seed: 7 },
};

function folderOfConfigs(): string {
  return folderWith({
    "my.yaml": stringify(written),
    "my.json": JSON.stringify(written),
    "tiny.mjs": environmentModule,
  });
}

describe("a config", () => {
  it("is the same in YAML and in JSON", async () => {
    const folder = folderOfConfigs();
    const yaml = await loadConfig({ file: join(folder, "my.yaml") });
    const json = await loadConfig({ file: join(folder, "my.json") });
    expect(yaml.config).toEqual(json.config);
  });

  it("has every default filled in, the environment's own included", async () => {
    const { config, environment } = await loadConfig({ file: join(folderOfConfigs(), "my.yaml") });
    expect(config.env).toMatchObject({ size: 3 });
    expect(environment.options).toEqual({ size: 3, file: "tasks.jsonl" });
    expect(config.train).toMatchObject({
      algorithm: "grpo",
      seed: 7,
      iterations: 30,
      groupsPerBatch: 32,
      groupSize: 8,
    });
    expect(config.runner).toEqual({ failOnViolation: false, emitViolations: true });
    expect(config.reward).toMatchObject({ critical: 100, high: 50, medium: 10, low: 1, cleanBonus: 5 });
    expect(config.workers).toBe("auto");
    expect(config.store).toBe("sqlite:faraday.db");
  });

  it("has paths that start from its own folder", async () => {
    const folder = folderOfConfigs();
    const { config } = await loadConfig({ file: join(folder, "my.yaml") });
    expect(config.baseDir).toBe(folder);
    expect(config.env.module).toBe(join(folder, "tiny.mjs"));
    expect(config.kernel.drivers.sql).toEqual({ database: join(folder, "shop.sql") });
    expect(config.model.checkpoint).toBe(join(folder, "base"));
  });

  it("can be saved once resolved, and loaded again from anywhere", async () => {
    const { config } = await loadConfig({ file: join(folderOfConfigs(), "my.yaml") });
    const run = folderWith({ "config.json": JSON.stringify(config) });
    mkdirSync(join(run, "deeper"));
    writeFileSync(join(run, "deeper/config.json"), JSON.stringify(config));
    expect((await loadConfig({ file: join(run, "config.json") })).config).toEqual(config);
    expect((await loadConfig({ file: join(run, "deeper/config.json") })).config).toEqual(config);
  });

  it("that is shipped resolves without a mistake, and is what is loaded where none is named", async () => {
    const { config, environment } = await loadConfig();
    expect(environment.definition.name).toBe("sql");
    expect(config.kernel.policies.map(({ type }) => type)).toEqual(["sql", "budget"]);
    expect(config.model.checkpoint).toBe(resolve(defaultConfigFile, "../base-policy"));
  });

  it("keeps an environment's options as they were written where parsing changes them for good", async () => {
    const changing = environmentModule.replace("z.string().optional()", "z.string().transform((text) => text.length)");
    const folder = folderWith({ "changing.mjs": changing });
    const { config, environment } = await resolveConfig(
      { env: { module: "changing.mjs", file: "abc" } },
      { baseDir: folder },
    );
    expect(environment.options).toEqual({ size: 3, file: 3 });
    expect(config.env).toMatchObject({ file: "abc" });
  });
});
