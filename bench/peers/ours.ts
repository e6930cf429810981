import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { FaradayError } from "../../src/core/errors.ts";
import { packageVersions } from "../../src/run/package-versions.ts";
import { decision } from "../decision.ts";
import { measureSuite } from "../measure-suite.ts";
import type { Contestant, Turn } from "./contest.ts";
import { run } from "./processes.ts";

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
const version = packageVersions()["faraday-rl"] ?? "unknown";

const rates = ["episodesPerSecond", "stepsPerSecond"] as const;
const row = z.object({ runner: z.string(), episodesPerSecond: z.number(), stepsPerSecond: z.number() });
const document = z.object({ rows: z.array(row) });

export interface BenchTurn {
  readonly workload: string;
  readonly rate: (typeof rates)[number];
  readonly governed: boolean;
  /** As of `--set`. */
  readonly sets?: readonly string[];
  readonly stored?: boolean;
}

/** `faraday bench` of a workload in a process of its own, with a worker a core. */
export function faradayBench(
  name: string,
  { workload, rate, governed, sets = [], stored = true }: BenchTurn,
): Contestant {
  return {
    name,
    run: async (seconds) => {
      const options = {
        ...{ workload, workers: availableParallelism(), seconds: Math.max(1, Math.round(seconds)), governed },
        store: stored ? "sqlite" : "none",
      };
      const given = Object.entries(options).flatMap(([option, value]) => [`--${option}`, String(value)]);
      const args = ["--conditions=faraday-source", cli, "bench", "--json", ...given];
      const ran = await run(process.execPath, [...args, ...sets.flatMap((set) => ["--set", set])]);
      if (ran.exitCode !== 0) throw new FaradayError(`faraday bench of ${workload} failed: ${ran.stderr.trim()}`);
      const found = document.parse(JSON.parse(ran.stdout)).rows.find(({ runner }) => runner === "faraday");
      if (found === undefined) throw new FaradayError(`faraday bench of ${workload} gave no row`);
      return { perSecond: found[rate], version };
    },
  };
}

/** A row of the suite `decision`, in this process. */
export function decisions(name: string, task: string): Contestant {
  return { name, run: (seconds) => decisionTurn(task, seconds) };
}

async function decisionTurn(task: string, seconds: number): Promise<Turn> {
  const options = { rounds: 1, timeMs: seconds * 1000, runsMin: 2, warmup: true, only: task };
  const [measured] = await measureSuite("decision", decision, options);
  if (measured === undefined) throw new FaradayError(`the suite decision has no task ${JSON.stringify(task)}`);
  return { perSecond: measured.unitsPerSecond.median, version };
}
