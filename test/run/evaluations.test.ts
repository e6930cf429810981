import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Task } from "../../src/core/env.ts";
import { loadCheckpoint } from "../../src/model/checkpoint.ts";
import { Planner } from "../../src/run/plan.ts";
import { faraday } from "../commands/run-cli.ts";
import { type ChatterRun, chatterConfig, chatterTrain, chatterTrainer, runChatter, storedRun } from "./chatter.ts";

const iterations = 4;
const watched = await runChatter({
  workers: 1,
  train: { iterations, evalEvery: 2, keepBest: true, checkpointEvery: 1 },
});

function weightsOf({ out }: Pick<ChatterRun, "out">, checkpoint: string | number): Buffer {
  return readFileSync(join(out, "checkpoints", String(checkpoint), "model.safetensors"));
}

it("evaluations in the course of training are stored and reported, and change nothing of it", async () => {
  const plain = await runChatter({ workers: 1, train: { iterations } });
  expect(weightsOf(watched, iterations)).toEqual(weightsOf(plain, iterations));
  expect(watched.report.evaluations.map(({ iteration }) => iteration)).toEqual([2, 4]);
  expect(plain.report).toMatchObject({ evaluations: [], best: null, after: watched.report.after });
  const stored = watched.episodes.filter(({ key }) => key.phase === "eval");
  expect(stored).toHaveLength(2 * chatterTrain.evalEpisodes);
  // The chatter has no val split; the evaluation behind the last iteration is then the one that is made after training.
  expect(watched.report.evaluations[1]?.measure).toEqual(watched.report.after);
  expect(await faraday(["audit", "verify", watched.out])).toMatchObject({ exitCode: 0 });
});

it("the best of them is kept, with the iteration and the measure that made it so", () => {
  const { best, evaluations } = watched.report;
  const worths = evaluations.map(({ measure }) => measure.taskAccuracy - measure.violationRate);
  const first = worths.indexOf(Math.max(...worths));
  expect(best).toEqual(evaluations[first]);
  expect(weightsOf(watched, "best")).toEqual(weightsOf(watched, best?.iteration ?? 0));
  const { provenance } = loadCheckpoint(join(watched.out, "checkpoints", "best"));
  expect(provenance).toMatchObject({ iteration: best?.iteration, measure: best?.measure, run: watched.report.run });
});

it("training ends at the first evaluation that reaches the target, and is then measured", async () => {
  const { report, out } = await runChatter({
    workers: 1,
    train: { iterations, evalEvery: 1, stopAt: { violationRate: 1 } },
  });
  expect(report).toMatchObject({ status: "succeeded", iterations: 1, after: report.evaluations[0]?.measure });
  expect(existsSync(join(out, "checkpoints", "1"))).toBe(true);
});

it("training goes on where the target is not reached", async () => {
  const { report } = await runChatter({ workers: 1, train: { iterations: 2, evalEvery: 1, stopAt: { accuracy: 1 } } });
  expect(report.evaluations.every(({ measure }) => measure.taskAccuracy < 1)).toBe(true);
  expect(report.iterations).toBe(2);
});

it.each(["iteration-end", "evaluation-end"])(
  "a run that was stopped at %s goes on to the same evaluations and the same best weights",
  async (type) => {
    const abort = new AbortController();
    const { trainer, out } = chatterTrainer({
      workers: 1,
      train: { iterations, evalEvery: 2, keepBest: true, checkpointEvery: 1 },
      signal: abort.signal,
      onEvent: (event) => {
        const isEvaluation = event.type === "evaluation-end" && event.phase === "eval";
        const isIteration = event.type === "iteration-end" && event.iteration === 2;
        if (event.type === type && (isEvaluation || isIteration)) abort.abort();
      },
    });
    expect(await trainer.train()).toMatchObject({ status: "cancelled", iterations: 2 });
    const { stdout } = await faraday(["train", "--resume", out, "--json"]);
    const { evaluations, best, after } = watched.report;
    expect(JSON.parse(stdout)).toMatchObject({ evaluations, best, after });
    expect(weightsOf({ out }, "best")).toEqual(weightsOf(watched, "best"));
    expect(weightsOf({ out }, iterations)).toEqual(weightsOf(watched, iterations));
    const done = ({ worker: _, ...episode }: ChatterRun["episodes"][number]) => episode;
    expect((await storedRun(out)).episodes.map(done)).toEqual(watched.episodes.map(done));
  },
);

it("evaluations are on the val split where there is one", () => {
  const tasks = ["train", "val", "test"].map((split, index) => ({ id: `${index}`, prompt: "", split })) as Task[];
  const options = { seed: 1, groupSize: 2, groupsPerBatch: 1, groupsPerTask: 1, temperature: 1, evalTemperature: 1 };
  expect(new Planner(tasks, options).watchedSplit).toBe("val");
  expect(new Planner(tasks.slice(2), options).watchedSplit).toBe("test");
});

it.each([
  ["stopAt without evaluations", { stopAt: { accuracy: 1 } }, /train\.evalEvery must be at least 1 with stopAt/],
  ["keepBest without evaluations", { keepBest: true }, /train\.evalEvery must be at least 1 with stopAt or keepBest/],
  ["an empty target", { evalEvery: 1, stopAt: {} }, /train\.stopAt must name accuracy, violationRate or both/],
])("%s is refused", async (_, train, message) => {
  const config = chatterConfig({ train: { ...chatterTrain, ...train } });
  expect(await faraday(["train", config])).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(message) });
});
