import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../../../src/store/open.ts";
import { faraday } from "../../commands/run-cli.ts";
import { chatterConfig, chatterTrain, runChatter } from "../../run/chatter.ts";
import { ServedPlace } from "./served-place.ts";

const train = { ...chatterTrain, iterations: 3, checkpointEvery: 1 };
const cli = fileURLToPath(new URL("../../../src/cli.ts", import.meta.url));
const whole = runChatter({ train });

describe("a trainer whose store is a server that goes away in the middle", () => {
  let place: ServedPlace;
  let child: ChildProcess | undefined;
  let out: string;
  beforeEach(async () => {
    place = new ServedPlace();
    const config = chatterConfig({ train, workers: 2, store: await place.start() });
    out = join(config, "..", "run");
    child = spawn(process.execPath, ["--conditions=faraday-source", cli, "train", config, "--out", out], {
      stdio: "ignore",
    });
    await until(() => eventsOf(out).includes('"iteration-end"'));
    await place.stop();
    await until(() => waiting(out) > 0);
  });
  afterEach(async () => {
    child?.kill("SIGKILL");
    await place[Symbol.asyncDispose]();
  });

  it("ends as if it had never gone, once it is back", async () => {
    const ended = new Promise((resolve) => child?.once("close", resolve));
    await place.start();
    expect(await ended).toBe(0);
    await expectWhole();
  });

  it("and that is killed then, with batches that only its disk has: resumed, it ends the same", async () => {
    const ended = new Promise((resolve) => child?.once("close", resolve));
    child?.kill("SIGKILL");
    await ended;
    await place.start();
    expect(await faraday(["train", "--resume", out])).toMatchObject({ exitCode: 0 });
    await expectWhole();
  });

  /** Every episode once, as a run with a store of its own has them; an audit log that verifies; nothing left on disk. */
  async function expectWhole(): Promise<void> {
    await using store = await openStore("sqlite:faraday.db", { baseDir: place.folder });
    const [run] = await store.runs();
    expect(run).toMatchObject({ status: "succeeded" });
    const episodes = await store.episodes(run?.id ?? "");
    expect(episodes.map(({ worker: _, ...episode }) => episode)).toEqual(
      (await whole).episodes.map(({ worker: _, ...episode }) => episode),
    );
    expect(waiting(out)).toBe(0);
    expect(await faraday(["audit", "verify", out])).toMatchObject({ exitCode: 0 });
  }
});

function eventsOf(out: string): string {
  const file = join(out, "events.jsonl");
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

function waiting(out: string): number {
  const folder = join(out, "store-buffer");
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")).length : 0;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
