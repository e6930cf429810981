import { z } from "zod";

/** How `faraday pretrain` clones the demonstrations. */
export const pretrainOptions = z.strictObject({
  epochs: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe("Passes over the demonstrations (40; more for fewer than 2,000 demonstrations on a database)"),
  batchSize: z
    .int()
    .min(1)
    .max(4096)
    .optional()
    .describe("Demonstrations of one gradient step (32; 16 for fewer than 2,000 demonstrations on a database)"),
  learningRate: z
    .number()
    .positive()
    .max(1)
    .default(4e-3)
    .describe("Largest step size; warms up, then follows a cosine"),
  weightDecay: z.number().min(0).max(1).default(0.01).describe("Decoupled weight decay of Adam"),
  literalSwap: z
    .boolean()
    .default(true)
    .describe("Exchange literals that an action copied from its prompt, so that copying is learned"),
  valueSwap: z
    .boolean()
    .optional()
    .describe(
      "Take literals for literalSwap from the database too, by column, as far as the policies let an agent read it (true for fewer than 2,000 demonstrations)",
    ),
  wordDropout: z
    .number()
    .min(0)
    .max(0.9)
    .optional()
    .describe(
      "Share of the prompt's tokens that are masked while training, those of literals excepted (0; more with valueSwap)",
    ),
  plainQueries: z
    .boolean()
    .optional()
    .describe(
      "Teach queries without qualifiers and aliases that they do not need, where the rows are the same (true for fewer than 2,000 demonstrations)",
    ),
  dropout: z
    .number()
    .min(0)
    .max(0.9)
    .default(0)
    .describe("Share of what attention and the MLP's inner layers give that is forgotten while training"),
});
export type PretrainOptions = z.output<typeof pretrainOptions>;
