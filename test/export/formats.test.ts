import { open } from "node:fs/promises";
import { zstdDecompressSync } from "node:zlib";
import { parquetReadObjects } from "hyparquet";
import { beforeAll, expect, it } from "vitest";
import type { ExportedEpisode, ExportedMessage } from "../../src/export/exported-episode.ts";
import { type ExportedRun, exported, type KnownEpisode, linesOf, trainedRun } from "./run.ts";

let trained: ExportedRun;
beforeAll(async () => {
  trained = await trainedRun();
});

/** What an export has to say of an episode, from the store alone. */
function expectedOf({ episode, tokens, chosen, logProbabilities }: KnownEpisode): Omit<ExportedEpisode, "stored_at"> {
  const { key, error, oracle: _, stepCount, scalarReward, tokenCount: __, ...rest } = episode;
  const messages = messagesOf({ tokens, chosen });
  return {
    ...{ run: trained.run, episode: key.id, phase: key.phase, iteration: key.iteration, group_index: key.group },
    ...{ episode_index: key.index, task: key.task, split: key.split, seed: key.seed, weights: key.weights },
    ...{ ...rest, error: error === undefined ? null : expect.any(String), scalar_reward: scalarReward },
    ...{ steps: stepCount, prompt: messages[0]?.content ?? null, messages, tokens },
    ...{ chosen: chosen.map((flag) => flag === 1), log_probabilities: logProbabilities },
  };
}

function messagesOf({ tokens, chosen }: Pick<KnownEpisode, "tokens" | "chosen">): ExportedMessage[] {
  const turns: { flag: number | undefined; tokens: number[] }[] = [];
  for (const [index, token] of tokens.entries()) {
    const last = turns.at(-1);
    if (last !== undefined && last.flag === chosen[index]) last.tokens.push(token);
    else turns.push({ flag: chosen[index], tokens: [token] });
  }
  return turns.map(({ flag, tokens }) => ({
    role: flag === 1 ? "assistant" : "user",
    content: trained.decode(tokens),
  }));
}

it("jsonl holds every episode of the store with its tokens, and comes back as it was", async () => {
  const lines = linesOf<ExportedEpisode>(await exported(trained.out, "jsonl"));
  expect(lines).toEqual(trained.known.map((known) => ({ ...expectedOf(known), stored_at: expect.any(Number) })));
  expect(lines.some(({ violations }) => violations.length > 0)).toBe(true);
  expect(lines.some(({ messages }) => (messages?.length ?? 0) > 2)).toBe(true);
});

it("parquet holds the same as typed columns", async () => {
  const rows = await readParquet(await exported(trained.out, "parquet"));
  const expected = trained.known.map((known) => ({ ...expectedOf(known), stored_at: expect.any(Date) }));
  expect(rows.map((row) => ({ ...row, seed: Number(row.seed) }))).toEqual(expected);
});

it("trl is conversational language modelling, prompt and completion, or preference", async () => {
  const spoken = trained.known.map((known) => ({ known, messages: messagesOf(known) }));
  const messages = linesOf<object>(await exported(trained.out, "trl"));
  expect(messages).toEqual(spoken.map(({ known, messages }) => ({ messages, ...extraOf(known) })));
  const completions = linesOf<object>(await exported(trained.out, "trl-completion"));
  expect(completions).toEqual(
    spoken.map(({ known, messages: [first, ...rest] }) => ({ prompt: [first], completion: rest, ...extraOf(known) })),
  );
  const pairs = linesOf<Preference>(await exported(trained.out, "trl-preference"));
  expect(pairs.length).toBeGreaterThan(0);
  for (const pair of pairs) expectPreferred(pair);
});

interface Preference {
  readonly prompt: unknown;
  readonly chosen: unknown;
  readonly rejected: unknown;
  readonly chosen_episode: string;
  readonly rejected_episode: string;
}

function expectPreferred({ prompt, chosen, rejected, chosen_episode, rejected_episode }: Preference): void {
  const [best, worst] = [chosen_episode, rejected_episode].map((id) => byId(id)) as [KnownEpisode, KnownEpisode];
  expect(best.episode.scalarReward).toBeGreaterThan(worst.episode.scalarReward);
  expect(best.episode.violations).toEqual([]);
  expect(best.episode.key).toMatchObject({ group: worst.episode.key.group, task: worst.episode.key.task });
  expect([prompt, chosen].flat()).toEqual(messagesOf(best));
  expect([prompt, rejected].flat()).toEqual(messagesOf(worst));
}

function extraOf({ episode: { key, scalarReward: reward, reward: task_reward, cost, advantage } }: KnownEpisode) {
  return { episode: key.id, task: key.task, reward, task_reward, cost, advantage };
}

function byId(id: string): KnownEpisode | undefined {
  return trained.known.find(({ episode }) => episode.key.id === id);
}

it("verifiers is a results.jsonl with numbered examples", async () => {
  const lines = linesOf<{ example_id: number; task: string }>(await exported(trained.out, "verifiers"));
  const tasks = [...new Set(trained.known.map(({ episode }) => episode.key.task))];
  expect(lines).toMatchObject(
    trained.known.map((known) => {
      const { episode, chosen } = known;
      const [first, ...completion] = messagesOf(known);
      return {
        ...{ example_id: tasks.indexOf(episode.key.task), prompt: [first], completion, answer: "" },
        ...{ task: episode.key.task, reward: episode.scalarReward, is_completed: true, error: null },
        info: { run: trained.run, episode: episode.key.id, seed: episode.key.seed, advantage: episode.advantage },
        metrics: { task_reward: episode.reward, cost: episode.cost, violations: episode.violations.length },
        token_usage: { output_tokens: chosen.filter((flag) => flag === 1).length },
      };
    }),
  );
});

interface ArtLine {
  readonly trajectories: readonly { readonly messages_and_choices: readonly ArtItem[]; readonly metadata: object }[];
}
type ArtItem = ExportedMessage | ArtChoice;
interface ArtChoice {
  readonly finish_reason: string;
  readonly message: ExportedMessage;
  readonly logprobs: { readonly content: readonly { readonly token: string; readonly logprob: number }[] };
}

it("art has a group a line, and choices with the tokens that were chosen", async () => {
  const groups = linesOf<ArtLine>(await exported(trained.out, "art", "--phase", "train"));
  expect(groups.map(({ trajectories }) => trajectories.length)).toEqual(Array.from({ length: 12 }, () => 4));
  const trajectories = groups.flatMap((group) => group.trajectories);
  const known = trained.known.filter(({ episode }) => episode.key.phase === "train");
  expect(trajectories).toMatchObject(
    known.map(({ episode }) => ({
      ...{ reward: episode.scalarReward, initial_policy_version: episode.key.weights },
      ...{ metrics: { task_reward: episode.reward, cost: episode.cost }, metadata: { episode: episode.key.id } },
    })),
  );
  for (const [index, { messages_and_choices: items }] of trajectories.entries()) {
    const of = known[index] as KnownEpisode;
    expect(items.map((item) => ("message" in item ? item.message : item))).toEqual(messagesOf(of));
    const chosen = items.flatMap((item) => ("message" in item ? item.logprobs.content : []));
    const places = of.tokens.flatMap((token, at) => (of.chosen[at] === 1 ? [{ token, at }] : []));
    expect(chosen.map(({ token }) => token)).toEqual(places.map(({ token }) => `token_id:${token}`));
    expect(chosen.map(({ logprob }) => logprob)).toEqual(places.map(({ at }) => of.logProbabilities[at]));
  }
});

async function readParquet(path: string): Promise<readonly Record<string, unknown>[]> {
  await using handle = await open(path);
  const bytes = await handle.readFile();
  const file = {
    byteLength: bytes.length,
    slice: (start: number, end?: number) => new Uint8Array(bytes.subarray(start, end)).buffer,
  };
  const compressors = { ZSTD: (input: Uint8Array) => new Uint8Array(zstdDecompressSync(input)) };
  return await parquetReadObjects({ file, compressors });
}
