import { availableParallelism, cpus, totalmem } from "node:os";
import type { Machine } from "./run-report.ts";

/** The machine that this process runs on: figures mean little without it. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
  };
}
