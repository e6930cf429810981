import { zstdCompressSync } from "node:zlib";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { EpisodeWriter } from "./episode-format.ts";
import type { ExportedEpisode } from "./exported-episode.ts";
import type { ExportOutput } from "./output.ts";
import { parquetColumns, parquetSchema } from "./parquet-schema.ts";

/** A row group is written once it has so many rows or tokens: what is in memory is no more. */
const groupMax = { rows: 2_048, tokens: 250_000 } as const;

/** Episodes as Parquet, a column a field, compressed with zstd. */
export class EpisodeParquetWriter implements EpisodeWriter {
  readonly #output: ExportOutput;
  readonly #bytes = new ByteWriter();
  readonly #writer = new ParquetWriter({
    writer: this.#bytes,
    schema: parquetSchema,
    codec: "ZSTD",
    compressors: { ZSTD: (input) => new Uint8Array(zstdCompressSync(input)) },
    createdBy: "faraday",
  });
  #waiting: ExportedEpisode[] = [];
  #waitingTokens = 0;
  #rows = 0;

  constructor(output: ExportOutput) {
    this.#output = output;
  }

  get rows(): number {
    return this.#rows;
  }

  async write(episodes: readonly ExportedEpisode[]): Promise<void> {
    for (const episode of episodes) {
      this.#waiting.push(episode);
      this.#waitingTokens += episode.tokens?.length ?? 0;
      if (this.#waiting.length >= groupMax.rows || this.#waitingTokens >= groupMax.tokens) await this.#flush();
    }
  }

  async end(): Promise<void> {
    if (this.#waiting.length > 0) await this.#flush();
    await this.#writer.finish();
    await this.#send();
  }

  async #flush(): Promise<void> {
    const episodes = this.#waiting;
    const columnData = parquetColumns.map((name) => ({
      name,
      data: episodes.map((episode) => cellOf(episode, name)),
    }));
    await this.#writer.write({ columnData, rowGroupSize: episodes.length });
    this.#rows += episodes.length;
    this.#waiting = [];
    this.#waitingTokens = 0;
    await this.#send();
  }

  async #send(): Promise<void> {
    await this.#output.write(this.#bytes.getBytes());
    this.#bytes.index = 0;
  }
}

function cellOf(episode: ExportedEpisode, name: keyof ExportedEpisode): unknown {
  if (name === "seed") return BigInt(episode.seed);
  return name === "stored_at" ? new Date(episode.stored_at) : episode[name];
}
