import { type Environment, readOtelEnvironment } from "./otel-environment.ts";
import type { RunNames, RunTelemetry } from "./run-telemetry.ts";
import type { SendLimits } from "./span-sender.ts";

export interface TelemetryOptions {
  readonly warn: (message: string) => void;
  readonly environment?: Environment;
  readonly limits?: SendLimits;
}

/** The telemetry of a run; `null`, with nothing loaded, where the environment names no endpoint. */
export async function openTelemetry(names: RunNames, options: TelemetryOptions): Promise<RunTelemetry | null> {
  const { environment = process.env, warn, limits } = options;
  const settings = readOtelEnvironment(environment, warn);
  if (settings === null) return null;
  const { RunTelemetry } = await import("./run-telemetry.ts");
  return new RunTelemetry(names, settings, { warn, ...(limits === undefined ? {} : { limits }) });
}
