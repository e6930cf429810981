import { expect, it } from "vitest";
import { watchProgress } from "../../src/commands/progress.ts";
import type { RunEvent } from "../../src/run/events.ts";

const start: RunEvent = { type: "run-start", run: "r1", dir: "/runs/r1", workers: 2, iterations: 10 };

function iteration(number: number): RunEvent {
  const metrics = { accuracy: 0.75, violationRate: 0.125, episodesPerSecond: 99.6 };
  return { type: "iteration-end", iteration: number, iterations: 10, metrics };
}

function watch({ isTTY, columns = 200 }: { readonly isTTY: boolean; readonly columns?: number }) {
  const written: string[] = [];
  const clock = { ms: 0 };
  const progress = watchProgress({ isTTY, columns, write: (text) => written.push(text) }, () => clock.ms);
  return { written, clock, progress };
}

const cleared = "\r\x1b[K";

it("a terminal has one live line, replaced by the next and cleared at the end", () => {
  const { written, clock, progress } = watch({ isTTY: true });
  progress.show(start);
  clock.ms = 2000;
  progress.show(iteration(1));
  progress.show(iteration(2));
  progress[Symbol.dispose]();
  progress[Symbol.dispose]();
  expect(progress.dir).toBe("/runs/r1");
  expect(written).toEqual([
    "run r1: 10 iterations on 2 workers, /runs/r1\n",
    "iteration 1/10, accuracy 75.0 %, violations 12.5 %, 100 episodes/s, 18 s left",
    cleared,
    "iteration 2/10, accuracy 75.0 %, violations 12.5 %, 100 episodes/s, 8 s left",
    cleared,
  ]);
});

it("a live line never wraps", () => {
  const { written, progress } = watch({ isTTY: true, columns: 20 });
  progress.show(iteration(1));
  expect(written).toEqual(["iteration 1/10, acc"]);
});

it("elsewhere there are plain lines, not one an iteration, but always the last", () => {
  const { written, clock, progress } = watch({ isTTY: false });
  for (let number = 1; number <= 10; number++) {
    clock.ms += 1000;
    progress.show(iteration(number));
  }
  progress[Symbol.dispose]();
  expect(written.map((line) => line.split(",")[0])).toEqual(["iteration 1/10", "iteration 6/10", "iteration 10/10"]);
  expect(written.join("")).not.toContain("\r");
});

it("evaluations and lost workers are told in lines that stay", () => {
  const { written, progress } = watch({ isTTY: true });
  const measure = { taskAccuracy: 0.8, violationRate: 0.1, undetectedRate: 0, episodes: 100 };
  progress.show(iteration(1));
  progress.show({ type: "evaluation-end", phase: "before", measure });
  progress.show({
    type: "task-failure",
    reason: "out of memory",
    fault: "out-of-memory",
    attempt: 1,
    episodes: 8,
  });
  expect(written.slice(1)).toEqual([
    cleared,
    "before training: accuracy 80.0 %, violations 10.0 %\n",
    "a task failed in a worker: out of memory\n",
  ]);
});
