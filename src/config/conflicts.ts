import type { z } from "zod";
import type { configSchema } from "./config-schema.ts";

/** Settings that are right by themselves and make no sense together; each with its path. */
export function conflictsOf({ train, reward }: z.output<typeof configSchema>): readonly string[] {
  if (train.constraint === undefined) return [];
  return [
    ...(reward.channels === "scalar"
      ? ["train.constraint must be absent with reward.channels: scalar: the scalar reward has no cost channel to weigh"]
      : []),
    ...(train.governed
      ? []
      : ["train.constraint must be absent with train.governed: false: without the kernel nothing is a violation"]),
  ];
}
