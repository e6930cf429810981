import type { z } from "zod";
import { moduleChoice } from "./chosen-module.ts";

/** Which environment; the rest of its keys are judged by the environment's own schema. */
export const envChoice = moduleChoice("environment");
export type EnvChoice = z.output<typeof envChoice>;
