import { z } from "zod";
import type { ResolvedConfig } from "../config/config-schema.ts";
import { chooseEnvironment } from "../config/environment.ts";
import { parseWith } from "../config/problems.ts";
import { type Environment, splits } from "../core/env.ts";
import { FaradayError, InputError, messageOf } from "../core/errors.ts";

/** What must hold of any module's environment; its tasks and itself may have more. */
const environmentShape = z.looseObject({
  tasks: z.array(
    z.looseObject({
      id: z.string().min(1),
      prompt: z.string(),
      split: z.enum(splits),
      demo: z.array(z.string()).optional(),
    }),
  ),
  maxTurns: z.int().min(1),
  start: z.custom((value) => typeof value === "function", "must be a function"),
  answerOf: z.custom((value) => typeof value === "function", "must be a function").optional(),
});

const problemsMax = 5;

/**
 * The environment that a config names, checked as far as it can be without running it.
 * @throws {InputError} where it cannot be loaded, or is none.
 */
export async function loadEnvironment({ env, baseDir }: Pick<ResolvedConfig, "env" | "baseDir">): Promise<Environment> {
  const { definition, options } = await chooseEnvironment(env, baseDir);
  const name = env.module ?? env.type;
  try {
    const environment = await definition.load(options, { baseDir });
    const problems = problemsOf(environment);
    if (problems.length > 0) throw new Error(problems.slice(0, problemsMax).join("; "));
    return environment;
  } catch (error) {
    if (error instanceof FaradayError) throw error;
    throw new InputError(`env ${name} could not be loaded: ${messageOf(error)}`, { cause: error });
  }
}

function problemsOf(environment: Environment): readonly string[] {
  const { problems } = parseWith(environmentShape, environment);
  if (problems.length > 0) return problems;
  const seen = new Set<string>();
  return environment.tasks.flatMap(({ id }) => {
    if (!seen.has(id)) {
      seen.add(id);
      return [];
    }
    return [`tasks must have ids of their own, got ${id} twice`];
  });
}
