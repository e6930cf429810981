import { z } from "zod";
import { kernelOptions } from "../kernel/kernel-options.ts";
import { rewardOptions } from "../runner/reward-options.ts";
import { runnerOptions } from "../runner/runner-options.ts";
import { agentChoice } from "./agent.ts";
import { auditOptions } from "./audit-options.ts";
import { envChoice } from "./env-choice.ts";
import { deadlineOptions, retryOptions, workerLimitOptions } from "./fault-options.ts";
import { modelOptions } from "./model-options.ts";
import { pretrainOptions } from "./pretrain-options.ts";
import { storeUrl } from "./store-url.ts";
import { trainOptions } from "./train-options.ts";

/** What workers may be. */
export const isolations = ["thread", "process"] as const;

/** The whole configuration. Every part's schema lies beside the part, with its defaults. */
export const configSchema = z.strictObject({
  $schema: z.string().optional().describe("Names this schema, for editors"),
  baseDir: z.string().min(1).optional().describe("Folder that relative paths start from; else the config file's own"),
  env: envChoice.describe("What the agent is trained on"),
  agent: agentChoice.optional().describe("Who acts, where it is not the policy model"),
  kernel: kernelOptions.prefault({}).describe("What governs the agent in every worker"),
  runner: runnerOptions.prefault({}).describe("How an episode meets its violations"),
  reward: rewardOptions.prefault({}).describe("What a violation costs"),
  model: modelOptions.prefault({}).describe("The policy model"),
  pretrain: pretrainOptions.prefault({}).describe("How the base policy is cloned from demonstrations"),
  train: trainOptions.prefault({}).describe("How it is trained"),
  workers: z
    .union([z.literal("auto"), z.int().min(1).max(256)])
    .default("auto")
    .describe("How many workers; auto is one for each core"),
  isolation: z
    .enum(isolations)
    .default("thread")
    .describe("What a worker is: thread, or process for user code that a thread cannot contain"),
  concurrentTasksPerWorker: z
    .int()
    .min(1)
    .max(256)
    .default(1)
    .describe("Tasks that a worker has at a time; more than 1 pays where episodes wait, for a network for instance"),
  workerLimits: workerLimitOptions.prefault({}).describe("What a worker may hold"),
  deadlines: deadlineOptions.prefault({}).describe("How long a stage of an episode may take"),
  retries: retryOptions.prefault({}).describe("What is tried again, and how often"),
  store: storeUrl,
  audit: auditOptions.prefault({}).describe("How its audit log is signed"),
});

/** A configuration as a user writes it. */
export type ConfigInput = z.input<typeof configSchema>;

/** A configuration with every default filled in; saved as a run's config.json, it can be loaded again. */
export type ResolvedConfig = z.output<typeof configSchema> & { readonly baseDir: string };
