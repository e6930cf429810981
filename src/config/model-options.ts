import { z } from "zod";

/** The size of a new policy model; a checkpoint brings its own. */
export const modelShape = z.strictObject({
  layers: z.int().min(1).max(64).default(2).describe("Transformer blocks"),
  width: z.int().min(8).max(4096).default(96).describe("Width of the residual stream; a multiple of heads"),
  heads: z.int().min(1).max(64).default(4).describe("Attention heads of a block"),
  contextTokens: z.int().min(16).max(65_536).default(256).describe("Most tokens of an episode's text"),
  promptTokens: z.int().min(8).max(65_536).default(96).describe("Most tokens of the task's prompt, of contextTokens"),
  vocabularySize: z.int().min(256).max(65_536).default(512).describe("Tokens that the tokenizer may have"),
});
export type ModelShape = z.output<typeof modelShape>;

const shapeKeys = modelShape.keyof().options;

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
    ...optionalShape(),
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

function optionalShape() {
  const { layers, width, heads, contextTokens, promptTokens, vocabularySize } = modelShape.shape;
  return {
    layers: withoutDefault(layers),
    width: withoutDefault(width),
    heads: withoutDefault(heads),
    contextTokens: withoutDefault(contextTokens),
    promptTokens: withoutDefault(promptTokens),
    vocabularySize: withoutDefault(vocabularySize),
  };
}

function withoutDefault(option: z.ZodDefault<z.ZodInt>) {
  const description = option.description ?? "";
  return option
    .removeDefault()
    .optional()
    .describe(`${description} (checkpoint's, else ${option.parse(undefined)})`);
}
