import { InputError } from "../core/errors.ts";
import { seedSummaryOf } from "../report/seed-summary.ts";
import { renderSeedTable } from "../report/seed-table.ts";
import type { CommandResult, Invocation } from "./command.ts";
import { configOf } from "./config-options.ts";
import { parseInteger } from "./option-values.ts";
import { watchProgress } from "./progress.ts";

const seedsMax = 1000;

/**
 * The seeds of `--seeds`, in their order.
 * @throws {InputError} where one is no seed, or named twice: it would count twice.
 */
export function seedsOf(text: string): readonly number[] {
  const seeds = text
    .split(",")
    .map((part) => parseInteger(part, { what: "each of --seeds", min: 0, max: 0xffff_ffff }));
  if (seeds.length > seedsMax) throw new InputError(`--seeds must be at most ${seedsMax}, got ${seeds.length}`);
  const twice = seeds.find((seed, index) => seeds.indexOf(seed) !== index);
  if (twice !== undefined) throw new InputError(`--seeds must differ, got ${twice} twice`);
  return seeds;
}

/** `train --seeds`: one run a seed, and what they show together. */
export async function trainSeeds(invocation: Invocation, text: string): Promise<CommandResult> {
  const seeds = seedsOf(text);
  for (const option of ["seed", "resume"]) {
    if (invocation.value(option) !== undefined) throw new InputError(`--seeds cannot be together with --${option}`);
  }
  const file = invocation.positionals[0];
  const configs = await Promise.all(seeds.map((seed) => configOf(invocation, file, { "train.seed": seed })));
  const runs = configs.map(({ config }) => ({ name: `seed${config.train.seed}`, config }));
  const out = invocation.value("out") ?? defaultStudyFolder("seeds");
  const { runStudy } = await import("../run/study.ts");
  const { terminal, signal, verbose } = invocation;
  using progress = watchProgress(terminal.stderr);
  const tell = (line: string) => terminal.stderr.write(`${line}\n`);
  const finished = await runStudy({ runs, out, signal, verbose, events: progress.show, tell });
  const reports = finished.map(({ report }) => report);
  const done = reports.map(({ seed }) => seed);
  const whole = done.length === seeds.length;
  const summary = seedSummaryOf(reports);
  return {
    json: { out, status: whole ? "succeeded" : "cancelled", seeds: done, summary, runs: finished },
    text: `${renderSeedTable(summary, done)}\n\n${whole ? "" : stopped(out)}Runs: ${out}\n`,
    exitCode: whole ? 0 : 1,
  };
}

/** What a study says of itself that was stopped. */
export function stopped(out: string): string {
  return `Stopped before all runs were done; the same command with --out ${out} goes on with those that are missing.\n`;
}

/** `runs/<UTC time>-<kind>`. */
export function defaultStudyFolder(kind: string): string {
  const time = new Date()
    .toISOString()
    .replace(/\.\d+Z$/u, "Z")
    .replaceAll(/[-:]/gu, "");
  return `runs/${time}-${kind}`;
}
