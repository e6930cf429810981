import type { EpisodeWriter } from "./episode-format.ts";
import type { ExportedEpisode } from "./exported-episode.ts";
import type { ExportOutput } from "./output.ts";

/** Writes one JSON document a line. */
export class LineWriter implements EpisodeWriter {
  readonly #output: ExportOutput;
  readonly #documentsOf: (episodes: readonly ExportedEpisode[]) => Iterable<unknown>;
  #rows = 0;

  /** @param documentsOf What becomes of the episodes of some groups. */
  constructor(output: ExportOutput, documentsOf: (episodes: readonly ExportedEpisode[]) => Iterable<unknown>) {
    this.#output = output;
    this.#documentsOf = documentsOf;
  }

  get rows(): number {
    return this.#rows;
  }

  async write(episodes: readonly ExportedEpisode[]): Promise<void> {
    let lines = "";
    for (const document of this.#documentsOf(episodes)) {
      lines += `${JSON.stringify(document)}\n`;
      this.#rows++;
    }
    if (lines !== "") await this.#output.write(lines);
  }

  async end(): Promise<void> {}
}
