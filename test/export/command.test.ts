import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { runCommandLine } from "../../src/commands/main.ts";
import { faraday } from "../commands/run-cli.ts";
import { freshFolder } from "../run/chatter.ts";
import { type ExportedRun, exported, linesOf, trainedRun } from "./run.ts";

let trained: ExportedRun;
beforeAll(async () => {
  trained = await trainedRun();
});

const target = () => join(freshFolder(), "out.jsonl");
const jsonl = (file: string) => ["export", trained.out, "--format", "jsonl", "--out", file];

it("a filter and a phase choose episodes, and --json says what came of it", async () => {
  const file = target();
  const ran = await faraday([...jsonl(file), "--phase", "train", "--filter", "violations=0", "--json"]);
  const clean = trained.known.filter(({ episode: { key, violations } }) => key.phase === "train" && !violations.length);
  expect(linesOf<{ episode: string }>(file).map(({ episode }) => episode)).toEqual(
    clean.map(({ episode }) => episode.key.id),
  );
  const bytes = readFileSync(file).length;
  const [episodes, rows] = [clean.length, clean.length];
  expect(JSON.parse(ran.stdout)).toEqual({ run: trained.run, format: "jsonl", file, read: 48, episodes, rows, bytes });
});

it("- writes lines to stdout and nothing else", async () => {
  const { stdout, exitCode } = await faraday(jsonl("-"));
  expect({ exitCode, lines: stdout.trimEnd().split("\n").length }).toEqual({
    exitCode: 0,
    lines: trained.known.length,
  });
});

it.each<[string, (file: string) => readonly string[], RegExp]>([
  ["an unknown format", (file) => ["--format", "csv", "--out", file], /--format must be one of jsonl, parquet/],
  ["no format", (file) => ["--out", file], /needs --format/],
  ["no file", () => ["--format", "jsonl"], /needs --out FILE/],
  ["an unknown phase", (file) => ["--format", "art", "--out", file, "--phase", "test"], /--phase must be one of/],
  ["parquet on stdout", () => ["--format", "parquet", "--out", "-"], /parquet cannot go to stdout/],
  ["two things on stdout", () => ["--format", "jsonl", "--out", "-", "--json"], /both want stdout/],
  ["a folder", () => ["--format", "jsonl", "--out", freshFolder()], /must name a file, got the folder/],
  ["a place that is not there", () => ["--format", "jsonl", "--out", "/nowhere/x.jsonl"], /cannot write \/nowhere/],
  ["no tokenizer", (file) => ["--format", "trl", "--out", file, "--tokenizer", "/nowhere"], /there is none/],
  [
    "a broken filter",
    (file) => ["--format", "jsonl", "--out", file, "--filter", "reward=="],
    /character 9: expected a number/,
  ],
])("%s is refused with exit code 2, and nothing is written", async (_name, argsOf, message) => {
  const file = target();
  const { exitCode, stderr } = await faraday(["export", trained.out, ...argsOf(file)]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(message) });
  expect(readdirSync(dirname(file))).toEqual([]);
});

it("a directory that is no run's is refused with exit code 2", async () => {
  expect(await faraday(["export", freshFolder(), "--format", "jsonl", "--out", target()])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("export needs a run directory with config.json"),
  });
});

it("a file that is there stays as it is, but with --force", async () => {
  const file = target();
  writeFileSync(file, "mine");
  expect(await faraday(jsonl(file))).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--force") });
  expect(readFileSync(file, "utf8")).toBe("mine");
  expect(await faraday([...jsonl(file), "--force"])).toMatchObject({ exitCode: 0 });
  expect(linesOf(file)).toHaveLength(trained.known.length);
});

it("Ctrl-C in the middle leaves no file behind, whole or in part", async () => {
  const file = target();
  const stop = new AbortController();
  const written: string[] = [];
  // The first look at the signal is before the first batch: what is asked for then is the store's, and takes a while.
  const running = runCommandLine(jsonl(file), {
    terminal: { stdin: process.stdin, stdout: { write: () => true }, stderr: { write: (text) => written.push(text) } },
    signal: stop.signal,
  });
  while (!existsSync(`${file}.partial`)) await new Promise((resolve) => setImmediate(resolve));
  stop.abort(new Error("stopped by SIGINT"));
  expect(await running).toBe(1);
  expect(written.join("")).toContain("the export was stopped; nothing was written");
  expect(readdirSync(dirname(file))).toEqual([]);
});

it("without a tokenizer the figures and tokens are still there, and texts are null", async () => {
  const folder = join(trained.out, "checkpoints");
  const config = JSON.parse(readFileSync(join(trained.out, "config.json"), "utf8"));
  renameSync(folder, `${folder}.away`);
  renameSync(config.model.checkpoint, `${config.model.checkpoint}.away`);
  const lines = linesOf<{ messages: unknown; tokens: unknown[] }>(await exported(trained.out, "jsonl"));
  expect(lines.every(({ messages, tokens }) => messages === null && tokens.length > 0)).toBe(true);
  expect(await faraday(["export", trained.out, "--format", "trl", "--out", target()])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("trl needs the tokenizer of the policy model"),
  });
});
