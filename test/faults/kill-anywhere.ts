/**
 * SIGKILL at random moments of a short run, then `--resume`: `node --conditions=faraday-source test/faults/kill-anywhere.ts [moments] [seed]`.
 * Ends with exit code 1 at the first run that does not end as one that was never killed.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { deriveSeed, Random } from "../../src/core/random.ts";
import { smallConfig, start, weightsOf } from "./small-run.ts";

const [moments = 50, seed = 1] = process.argv.slice(2).map(Number);
const random = new Random(deriveSeed(seed, 1));

const config = smallConfig({ workers: 2 });
const undisturbed = join(config, "..", "whole");
const began = performance.now();
await expectDone(["train", config, "--out", undisturbed]);
const lengthMs = performance.now() - began;

for (let moment = 1; moment <= moments; moment++) {
  const out = join(config, "..", `killed-${moment}`);
  const afterMs = random.below(Math.ceil(lengthMs));
  const killed = start(["train", config, "--out", out]);
  await Promise.race([killed.ended, new Promise((resolve) => setTimeout(resolve, afterMs))]);
  killed.child.kill("SIGKILL");
  await killed.ended;
  const begun = existsSync(join(out, "config.json"));
  if (begun) {
    await expectDone(["train", "--resume", out]);
    if (!weightsOf(out).equals(weightsOf(undisturbed))) fail(`other weights after a kill at ${afterMs} ms`);
    await expectDone(["audit", "verify", out]);
  }
  console.log(
    `${moment}/${moments}: killed after ${afterMs} ms, ${begun ? "went on, same weights, log verified" : "before the run began"}`,
  );
}

async function expectDone(args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await start(args).ended;
  if (exitCode !== 0) fail(`faraday ${args.join(" ")} ended with ${exitCode}: ${stderr}`);
}

function fail(message: string): never {
  console.error(`seed ${seed}: ${message}`);
  process.exit(1);
}
