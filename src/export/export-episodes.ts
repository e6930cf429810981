import type { EpisodeFormat, GoldAnswers } from "./episode-format.ts";
import type { EpisodeFilter } from "./filter.ts";
import type { ExportOutput } from "./output.ts";
import { type EpisodesToRead, readEpisodes } from "./read-episodes.ts";

export interface ExportProgress {
  /** Batches that are done, of how many. */
  readonly batch: number;
  readonly batches: number;
  readonly episodes: number;
}

export interface ExportJob extends EpisodesToRead {
  readonly format: EpisodeFormat;
  readonly filter?: EpisodeFilter | undefined;
  readonly output: ExportOutput;
  /** For formats that need them. */
  readonly answers?: GoldAnswers | undefined;
  readonly onProgress?: (progress: ExportProgress) => void;
}

/** What an export has come to. */
export interface ExportSummary {
  /** Episodes that were looked at, and those that the format could take and the filter let through. */
  readonly read: number;
  readonly episodes: number;
  /** Rows or lines: fewer than episodes where a format puts several into one. */
  readonly rows: number;
  /** Episodes that were left out since nothing is known of what was said in them. */
  readonly silent: number;
}

/** Streams a run through a filter into one format; keeps the output once all is in it. */
export async function exportEpisodes(job: ExportJob): Promise<ExportSummary> {
  const { format, filter = () => true, output, answers = new Map(), onProgress } = job;
  const writer = await format.open(output, answers);
  const count = { read: 0, episodes: 0, silent: 0 };
  for await (const { episodes, index, count: batches } of readEpisodes(job)) {
    const passed = episodes.filter(filter);
    const taken = format.needsMessages ? passed.filter(({ messages }) => messages !== null) : passed;
    await writer.write(taken);
    count.read += episodes.length;
    count.episodes += taken.length;
    count.silent += passed.length - taken.length;
    onProgress?.({ batch: index + 1, batches, episodes: count.episodes });
  }
  job.signal?.throwIfAborted();
  await writer.end();
  await output.keep();
  return { ...count, rows: writer.rows };
}
