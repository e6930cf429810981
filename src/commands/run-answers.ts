import { z } from "zod";
import { envChoice } from "../config/env-choice.ts";
import { messageOf } from "../core/errors.ts";
import type { GoldAnswers } from "../export/episode-format.ts";
import type { RunSource } from "./run-source.ts";

const configShape = z.looseObject({ env: envChoice, baseDir: z.string() });

export interface KnownAnswers {
  readonly answers: GoldAnswers;
  /** Why there are none; `null` where there are. */
  readonly problem: string | null;
}

/**
 * The gold answers of a run's tasks as its environment has them now; a store keeps no tasks. A module is code, and is run only where a run
 * directory was named: a store may be somebody else's.
 */
export async function runAnswers({ run, directory }: RunSource): Promise<KnownAnswers> {
  const config = configShape.safeParse(run.config);
  if (!config.success) return none("its config names no environment");
  const { env } = config.data;
  if (env.module !== undefined && directory === null) {
    return none(`its environment is the module ${env.module}, which is loaded for a run directory alone`);
  }
  try {
    const { loadEnvironment } = await import("../run/load-environment.ts");
    const environment = await loadEnvironment(config.data);
    if (environment.answerOf === undefined) return none("its environment tells none");
    const answers = environment.tasks.map((task) => [task.id, environment.answerOf?.(task) ?? ""] as const);
    return { answers: new Map(answers), problem: null };
  } catch (error) {
    return none(messageOf(error));
  }
}

function none(problem: string): KnownAnswers {
  return { answers: new Map(), problem };
}
