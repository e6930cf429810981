import { z } from "zod";

/** Which environment; the rest of its keys are judged by the environment's own schema. */
export const envChoice = z
  .looseObject({
    type: z.string().min(1).optional().describe("A shipped environment, such as sql"),
    module: z.string().min(1).optional().describe("File of your own environment module, instead of type"),
  })
  .refine(({ type, module }) => (type === undefined) !== (module === undefined), {
    message: "must have either type (a shipped environment) or module (a file of yours)",
  });
export type EnvChoice = z.output<typeof envChoice>;
