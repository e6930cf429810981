import { describe, expect, it } from "vitest";
import { measureSuite } from "../../bench/measure-suite.ts";
import { renderBench } from "../../bench/render.ts";
import { suites } from "../../bench/suites.ts";

const once = { rounds: 1, timeMs: 0, runsMin: 1, warmup: false };

describe("a suite", () => {
  it.each(Object.entries(suites))("%s runs, and gives a rate for every task", async (suite, load) => {
    const tasks = await measureSuite(suite, await load(), once);
    expect(tasks.length).toBeGreaterThan(0);
    for (const task of tasks) {
      expect(task).toMatchObject({ suite, runs: 1 });
      expect(task.unitsPerSecond.median).toBeGreaterThan(0);
    }
  });

  it("makes every run that it counts, in rounds that take turns", async () => {
    const made: string[] = [];
    const tasks = await measureSuite(
      "turns",
      async (bench) => {
        for (const name of ["a", "b"]) bench.add(name, () => void made.push(name), { async: false });
        return { a: { count: 1, unit: "run" }, b: { count: 1, unit: "run" } };
      },
      { ...once, rounds: 3, runsMin: 2 },
    );
    expect(made.join("")).toBe("aabbaabbaabb");
    expect(tasks.map(({ task, runs }) => ({ task, runs }))).toEqual([
      { task: "a", runs: 6 },
      { task: "b", runs: 6 },
    ]);
  });

  it("closes what it opened, also when a task throws", async () => {
    let closed = 0;
    const broken = measureSuite(
      "broken",
      async (bench, resources) => {
        resources.defer(() => void closed++);
        bench.add("throws", () => {
          throw new Error("on purpose");
        });
        return { throws: { count: 1, unit: "run" } };
      },
      once,
    );
    await expect(broken).rejects.toThrow("on purpose");
    expect(closed).toBe(1);
  });
});

it("the table names machine, load, versions, runs, median and spread", () => {
  const text = renderBench({
    machine: { cpu: "Some CPU", cores: 2, memoryBytes: 2 ** 33, platform: "linux x64", node: "v26.0.0" },
    load: 0.25,
    versions: { "faraday-rl": "1.2.3" },
    rounds: 3,
    tasks: [
      {
        suite: "store",
        task: "batch",
        unit: "episode",
        unitsPerRun: 256,
        runs: 9,
        unitsPerSecond: { p25: 1900, median: 2000, p75: 2100 },
      },
    ],
  });
  expect(text).toContain("Some CPU, 2 cores, 8 GiB, linux x64, Node v26.0.0, load 0.25 before");
  expect(text).toContain("faraday-rl 1.2.3");
  expect(text).toMatch(/store +batch +2,000 episodes\/s +1,900–2,100 +500 µs +9\n/);
});
