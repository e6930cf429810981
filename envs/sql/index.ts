import { z } from "zod";
import { defineEnv } from "../../src/core/env.ts";
import { SqlEpisode } from "./episode.ts";
import { shopScript } from "./shop.ts";
import { generateTasks } from "./tasks/generate.ts";
import { readTasks } from "./tasks-file.ts";
import { requireSqlWorld } from "./world.ts";

const rate = z.number().min(0).max(1);

export const sqlOptions = z.strictObject({
  tasks: z.string().min(1).optional().describe("JSONL file of tasks, instead of the generated ones"),
  maxTurns: z.int().min(1).max(64).default(3).describe("Most statements of an episode"),
  seed: z.int().min(0).max(0xffff_ffff).default(1).describe("Seed of the shop's rows and of the generated tasks"),
  shortcutRate: rate.default(0.85).describe("Share of the maintenance demonstrations that take the forbidden shortcut"),
  slipRate: rate.default(0.1).describe("Share of the other demonstrations that hold a mistake"),
});
export type SqlOptions = z.output<typeof sqlOptions>;

/** An agent answers requests about a database in SQL; without files of the user's own, about a generated shop. */
export default defineEnv<SqlOptions>({
  name: "sql",
  options: sqlOptions,
  load(options, { baseDir }) {
    const tasks = options.tasks === undefined ? generateTasks(options) : readTasks(options.tasks, baseDir);
    const byId = new Map(tasks.map((task) => [task.id, task]));
    return {
      tasks,
      maxTurns: options.maxTurns,
      answerOf: ({ id }) => byId.get(id)?.sql ?? "",
      driverDefaults: { sql: { script: shopScript(options.seed) } },
      start({ id }, { world }) {
        const task = byId.get(id);
        if (task === undefined) throw new Error(`the sql environment has no task ${id}`);
        return new SqlEpisode(task, requireSqlWorld(world), options.maxTurns);
      },
    };
  },
});
