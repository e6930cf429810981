import { artGroups } from "./art.ts";
import type { EpisodeFormat, GoldAnswers } from "./episode-format.ts";
import type { ExportedEpisode } from "./exported-episode.ts";
import { LineWriter } from "./line-writer.ts";
import { trlCompletion, trlMessages, trlPreferences } from "./trl.ts";
import { verifiersResults } from "./verifiers.ts";

export type FormatName = "jsonl" | "parquet" | "trl" | "trl-completion" | "trl-preference" | "verifiers" | "art";

export const formats: Readonly<Record<FormatName, EpisodeFormat>> = {
  jsonl: { ...lines(() => (episode) => episode), needsMessages: false },
  parquet: {
    ...{ text: false, needsMessages: false, needsAnswers: false },
    async open(output) {
      const { EpisodeParquetWriter } = await import("./parquet-writer.ts");
      return new EpisodeParquetWriter(output);
    },
  },
  trl: lines(() => trlMessages),
  "trl-completion": lines(() => trlCompletion),
  "trl-preference": groups(trlPreferences),
  verifiers: { ...lines(verifiersResults), needsAnswers: true },
  art: groups(artGroups),
};

/** A line an episode. */
function lines(begin: (answers: GoldAnswers) => (episode: ExportedEpisode) => unknown): EpisodeFormat {
  return {
    ...{ text: true, needsMessages: true, needsAnswers: false },
    async open(output, answers) {
      const documentOf = begin(answers);
      return new LineWriter(output, (episodes) => episodes.values().map(documentOf));
    },
  };
}

/** Lines that tell of groups. */
function groups(documentsOf: (episodes: readonly ExportedEpisode[]) => Iterable<unknown>): EpisodeFormat {
  return {
    ...{ text: true, needsMessages: true, needsAnswers: false },
    open: async (output) => new LineWriter(output, documentsOf),
  };
}
