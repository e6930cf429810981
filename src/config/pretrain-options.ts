import { z } from "zod";

/** How `faraday pretrain` clones the demonstrations. */
export const pretrainOptions = z.strictObject({
  epochs: z.int().min(1).max(10_000).default(40).describe("Passes over the demonstrations"),
  batchSize: z.int().min(1).max(4096).default(32).describe("Demonstrations of one gradient step"),
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
});
export type PretrainOptions = z.output<typeof pretrainOptions>;
