import { z } from "zod";
import { FaradayError } from "../../src/core/errors.ts";

/** A row of `faraday bench --json`, as far as two commits are compared by it. Rows of other runners are no figures of ours. */
const benchRow = z.object({
  workload: z.string(),
  workers: z.number(),
  governed: z.boolean(),
  runner: z.string().default("faraday"),
  episodesPerSecond: z.number().positive(),
});
const benchDocument = z.object({ machine: z.unknown(), rows: z.array(benchRow) });
export type BenchRow = z.infer<typeof benchRow>;
export type BenchDocument = z.infer<typeof benchDocument>;

/** @throws {FaradayError} where it is none. */
export function parseBenchDocument(text: string): BenchDocument {
  try {
    const { machine, rows } = benchDocument.parse(JSON.parse(text));
    return { machine, rows: rows.filter(({ runner }) => runner === "faraday") };
  } catch (cause) {
    throw new FaradayError(
      `faraday bench --json must print machine and rows, got ${JSON.stringify(text.slice(0, 200))}`,
      {
        cause,
      },
    );
  }
}

/** What a row is of, e.g. `sql, workers 2, ungoverned`. */
export function rowName({ workload, workers, governed }: BenchRow): string {
  return `${workload}, workers ${workers}${governed ? "" : ", ungoverned"}`;
}
