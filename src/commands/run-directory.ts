import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { InputError, messageOf } from "../core/errors.ts";
import { firstOf } from "../core/first-of.ts";
import { RunReport } from "../report/run-report.ts";

/**
 * The report that a run left.
 * @throws {InputError} where the directory is none of a run, or the run has not ended.
 */
export function readReport(directory: string): RunReport {
  const file = join(directory, "report.json");
  if (!existsSync(file)) {
    const reason = existsSync(join(directory, "config.json")) ? "its run has not ended" : "it is no run directory";
    throw new InputError(`report needs a run directory with report.json, got ${directory}: ${reason}`);
  }
  const broken = (reason: string) => new InputError(`${file} is not the report of a run: ${reason}`);
  let written: unknown;
  try {
    written = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw broken(messageOf(error));
  }
  const report = RunReport.safeParse(written);
  if (report.success) return report.data;
  const problems = report.error.issues.map(({ path, message }) => `${path.join(".") || "it"}: ${message}`);
  throw broken(firstOf(problems).join("; "));
}

/**
 * The folder of a run's newest weights.
 * @throws {InputError} where it has none.
 */
export function lastCheckpoint(directory: string): string {
  const folder = join(directory, "checkpoints");
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^\d+$/.test(name)) : [];
  const last = names.sort((one, other) => Number(one) - Number(other)).at(-1);
  if (last === undefined) throw new InputError(`${directory} has no checkpoint in ${folder}`);
  return join(folder, last);
}
