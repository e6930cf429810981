import { join } from "node:path";
import { expect, it } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import type { RunEvent } from "../../src/run/events.ts";
import { runStudy } from "../../src/run/study.ts";
import { chatterConfig, freshFolder } from "./chatter.ts";

it("a study that is stopped in a run has those before it, and goes on with that one to the same end", async () => {
  const { config } = await loadConfig({ file: chatterConfig() });
  const runs = [1, 2].map((seed) => ({ name: `seed${seed}`, config: { ...config, train: { ...config.train, seed } } }));
  const study = async (out: string, stopIn?: number) => {
    const abort = new AbortController();
    let begun = 0;
    const events = ({ type }: RunEvent) => {
      if (type === "run-start") begun++;
      if (type === "iteration-end" && begun === stopIn) abort.abort();
    };
    return runStudy({ runs, out, signal: abort.signal, verbose: false, events, tell() {} });
  };
  const out = join(freshFolder(), "study");
  expect((await study(out, 2)).map(({ name }) => name)).toEqual(["seed1"]);
  const measures = (await study(out)).map(({ name, report }) => [name, report.after]);
  const whole = await study(join(freshFolder(), "study"));
  expect(measures).toEqual(whole.map(({ name, report }) => [name, report.after]));
}, 120_000);
