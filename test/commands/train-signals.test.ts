import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it } from "vitest";
import { chatterConfig, chatterModule, chatterTrain, freshFolder, storedRun } from "../run/chatter.ts";
import { faraday } from "./run-cli.ts";

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
const { groupsPerBatch, groupSize, evalEpisodes } = chatterTrain;

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** A `faraday train` that would go on for long, and its run directory. */
function startTraining(env: Readonly<Record<string, unknown>> = {}) {
  const out = join(freshFolder(), "run");
  const config = chatterConfig({
    env: { module: chatterModule, ...env },
    train: { ...chatterTrain, iterations: 100_000 },
    workers: 2,
  });
  const child = spawn(process.execPath, ["--conditions=faraday-source", cli, "train", config, "--out", out, "--json"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => {
    said.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said.stderr += text;
  });
  return { child, out, said };
}

/** Resolves once the run's events, or what it says on stderr, hold a text. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}

function events(out: string): string {
  const file = join(out, "events.jsonl");
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once("close", resolve));
}

it("Ctrl-C in the middle of a training ends it with all that is done on disk", async () => {
  const { child, out, said } = startTraining();
  const end = ended(child);
  await until(() => /"type":"iteration-end","iteration":2\b/.test(events(out)));
  child.kill("SIGINT");
  expect(await end).toBe(1);
  expect(said.stderr).toContain("finishing the batch in hand");

  const report = JSON.parse(readFileSync(join(out, "report.json"), "utf8"));
  expect(JSON.parse(said.stdout)).toEqual(report);
  expect(report).toMatchObject({ status: "cancelled", after: null, before: { episodes: evalEpisodes } });
  expect(report.iterations).toBeGreaterThanOrEqual(2);
  expect(report.curve).toHaveLength(report.iterations);
  for (const file of ["run.lock", "faraday.db-wal", "report.json.partial"])
    expect(existsSync(join(out, file))).toBe(false);
  expect(existsSync(join(out, "checkpoints", String(report.iterations), "model.safetensors"))).toBe(true);

  const { status, episodes } = await storedRun(out);
  expect(status).toBe("cancelled");
  const trained = episodes.filter((episode) => episode.key.phase === "train");
  expect(trained).toHaveLength(report.iterations * groupsPerBatch * groupSize);

  const shown = await faraday(["report", out]);
  expect(shown).toMatchObject({ exitCode: 0, stderr: "" });
  expect(shown.stdout).toContain("Curves: ");
});

it("a second Ctrl-C ends it at once, and the store still opens", async () => {
  const { child, out, said } = startTraining({ fault: "hang" });
  const end = ended(child);
  await until(() => events(out).includes('"phase":"before"'));
  child.kill("SIGINT");
  await until(() => said.stderr.includes("press again"));
  child.kill("SIGINT");
  expect(await end).toBe(130);
  const { status, episodes } = await storedRun(out);
  expect(status).toBe("running");
  expect(episodes).toHaveLength(2 * evalEpisodes);
  expect(existsSync(join(out, "report.json"))).toBe(false);
  const again = await faraday(["train", chatterConfig(), "--out", out]);
  expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("was killed in it") });
  const shown = await faraday(["report", out]);
  expect(shown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("its run has not ended") });
});
