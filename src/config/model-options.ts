import { z } from "zod";

const sizes = {
  layers: z.int().min(1).max(64),
  width: z.int().min(8).max(4096),
  heads: z.int().min(1).max(64),
  contextTokens: z.int().min(16).max(65_536),
  promptTokens: z.int().min(8).max(65_536),
  vocabularySize: z.int().min(256).max(65_536),
  promptAttention: z.enum(["causal", "whole"]),
  copyWidth: z.int().min(0).max(4096),
};

/** The size of a policy model that is made anew. Lengths that are not given are made to fit the tasks. */
export const modelShape = z.strictObject({
  layers: sizes.layers.default(2),
  width: sizes.width.default(64),
  heads: sizes.heads.default(4),
  contextTokens: sizes.contextTokens.optional(),
  promptTokens: sizes.promptTokens.optional(),
  promptAttention: sizes.promptAttention.default("causal"),
  copyWidth: sizes.copyWidth.default(0),
  vocabularySize: sizes.vocabularySize.default(1024),
});
export type ModelShape = z.output<typeof modelShape>;

const shapeKeys = modelShape.keyof().options;
const { layers, width, heads, vocabularySize } = modelShape.parse({});

/**
 * The policy model. Where a checkpoint is named, its shape holds, and a shape that is given besides must agree with it;
 * so the shape has no defaults here, see {@link shapeOf}.
 */
export const modelOptions = z
  .strictObject({
    type: z.literal("transformer").default("transformer").describe("Kind of policy model"),
    checkpoint: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Folder with model.safetensors, config.json and tokenizer.json; else the shipped environment's base policy",
      ),
    layers: sizes.layers.optional().describe(`Transformer blocks (checkpoint's, else ${layers})`),
    width: sizes.width
      .optional()
      .describe(`Width of the residual stream; a multiple of heads (checkpoint's, else ${width})`),
    heads: sizes.heads.optional().describe(`Attention heads of a block (checkpoint's, else ${heads})`),
    contextTokens: sizes.contextTokens
      .optional()
      .describe("Most tokens of an episode's text (checkpoint's, else the prompt and two of the longest actions)"),
    promptTokens: sizes.promptTokens
      .optional()
      .describe("Most tokens of the task's prompt, of contextTokens (checkpoint's, else the longest task's)"),
    promptAttention: sizes.promptAttention
      .optional()
      .describe(
        "What a token of the prompt sees of it, what stands before it or the whole (checkpoint's, else causal)",
      ),
    copyWidth: sizes.copyWidth
      .optional()
      .describe("Width of a head that points at earlier tokens to be written again; 0: none (checkpoint's, else 0)"),
    vocabularySize: sizes.vocabularySize
      .optional()
      .describe(`Tokens that the tokenizer may have (checkpoint's, else ${vocabularySize})`),
  })
  .refine(({ width, heads }) => width === undefined || heads === undefined || width % heads === 0, {
    path: ["width"],
    message: "must be a multiple of model.heads",
  });
export type ModelOptions = z.output<typeof modelOptions>;

/** The shape of a model that is made anew: what is given, and defaults for the rest. */
export function shapeOf(model: ModelOptions): ModelShape {
  return modelShape.parse(Object.fromEntries(shapeKeys.map((key) => [key, model[key]])));
}

/** Whether any part of the shape is given. */
export function givesShape(model: ModelOptions): boolean {
  return shapeKeys.some((key) => model[key] !== undefined);
}
