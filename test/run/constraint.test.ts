import { expect, it } from "vitest";
import { startMultiplier, stepMultiplier } from "../../src/grpo/constraint.ts";
import { constraint, multiplierControllers } from "../../src/grpo/constraint-options.ts";
import type { RunReport } from "../../src/index.ts";
import { renderHtml } from "../../src/report/html.ts";
import { faraday } from "../commands/run-cli.ts";
import { chatterConfig, chatterTrainer, runChatter } from "./chatter.ts";

const costMultiplier = 3;

function multipliers({ curve }: RunReport): readonly (number | undefined)[] {
  return curve.map(({ metrics }) => metrics.costMultiplier);
}

it.each(multiplierControllers)(
  "%s: every iteration's multiplier is the controller's answer to the rates so far",
  async (controller) => {
    const options = { controller, violationRate: 0.4 };
    const { report } = await runChatter({ train: { iterations: 3, costMultiplier, constraint: options } });
    let state = startMultiplier(costMultiplier);
    const expected = report.curve.map(({ metrics }) => {
      state = stepMultiplier(state, metrics.violationRate as number, constraint.parse(options));
      return state.multiplier;
    });
    expect(multipliers(report)).toEqual(expected);
    expect(new Set(expected).size).toBeGreaterThan(1);
    expect(renderHtml(report)).toContain("<figcaption>Cost multiplier</figcaption>");
  },
);

it("without a constraint it stays", async () => {
  const { report } = await runChatter({ train: { costMultiplier } });
  expect(multipliers(report)).toEqual([costMultiplier, costMultiplier]);
});

it("a run that is resumed goes on with the multiplier that it had", async () => {
  const train = { iterations: 4, costMultiplier, constraint: { violationRate: 0.4 } };
  const { report } = await runChatter({ train });
  const abort = new AbortController();
  const onEvent = ({ type }: { readonly type: string }) => {
    if (type === "iteration-end") abort.abort();
  };
  const { trainer, out } = chatterTrainer({ train, signal: abort.signal, onEvent });
  expect(await trainer.train()).toMatchObject({ status: "cancelled", iterations: 2 });
  const { stdout } = await faraday(["train", "--resume", out, "--json"]);
  expect(multipliers(JSON.parse(stdout))).toEqual(multipliers(report));
}, 120_000);

it.each([
  [{ train: { constraint: {} }, reward: { channels: "scalar" } }, "the scalar reward has no cost channel"],
  [{ train: { constraint: {}, governed: false } }, "without the kernel nothing is a violation"],
])("a constraint that could do nothing is refused: %j", async (changes, message) => {
  const { exitCode, stderr } = await faraday(["train", chatterConfig(changes)]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(message) });
});
