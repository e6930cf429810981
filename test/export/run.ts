import { readFileSync } from "node:fs";
import { join } from "node:path";
import { trajectoryAt } from "../../src/core/trajectory.ts";
import { openStore } from "../../src/index.ts";
import { loadCheckpoint } from "../../src/model/checkpoint.ts";
import type { StoredEpisode } from "../../src/store/lightning-store.ts";
import { faraday } from "../commands/run-cli.ts";
import { chatterTrainer, freshFolder } from "../run/chatter.ts";

/** An episode as the store has it, with what the policy model read and wrote. */
export interface KnownEpisode {
  readonly episode: StoredEpisode;
  readonly tokens: readonly number[];
  readonly chosen: readonly number[];
  readonly logProbabilities: readonly number[];
}

export interface ExportedRun {
  readonly out: string;
  readonly run: string;
  readonly known: readonly KnownEpisode[];
  readonly decode: (tokens: readonly number[]) => string;
}

/** Trains for two iterations and reads all that the store holds of it. */
export async function trainedRun(): Promise<ExportedRun> {
  const { trainer, out } = chatterTrainer();
  const { run } = await trainer.train();
  const { tokenizer } = loadCheckpoint(join(out, "checkpoints", "2"));
  return { out, run, known: await knownEpisodes(out, run), decode: (tokens) => tokenizer.decode(tokens) };
}

async function knownEpisodes(out: string, run: string): Promise<readonly KnownEpisode[]> {
  await using store = await openStore("sqlite:faraday.db", { baseDir: out, mustExist: true });
  const known: KnownEpisode[] = [];
  for (const { phase, iteration } of await store.iterations(run)) {
    const columns = await store.trajectories(run, phase, iteration);
    if (columns === null) throw new Error(`no trajectories of ${phase} ${iteration}`);
    for (const [index, episode] of (await store.episodes(run, phase, iteration)).entries()) {
      const { tokens, chosen, logProbabilities } = trajectoryAt(columns, index);
      known.push({ episode, tokens: [...tokens], chosen: [...chosen], logProbabilities: [...logProbabilities] });
    }
  }
  return known;
}

/** Exports by the command line and returns the file. */
export async function exported(out: string, format: string, ...options: readonly string[]): Promise<string> {
  const file = join(freshFolder(), `episodes.${format}`);
  const { exitCode, stderr } = await faraday(["export", out, "--format", format, "--out", file, ...options]);
  if (exitCode !== 0) throw new Error(stderr);
  return file;
}

export function linesOf<Line>(file: string): readonly Line[] {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Line);
}
