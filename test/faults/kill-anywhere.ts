/**
 * SIGKILL at random moments of a short run, then `--resume`: `node --conditions=faraday-source test/faults/kill-anywhere.ts [moments] [seed]`.
 * Ends with exit code 1 at the first run that does not end as one that was never killed.
 */
import { join } from "node:path";
import { deriveSeed, Random } from "../../src/core/random.ts";
import { smallConfig, start, untilEvents, weightsOf } from "./small-run.ts";

const [moments = 50, seed = 1] = process.argv.slice(2).map(Number);
const random = new Random(deriveSeed(seed, 1));

const config = smallConfig({ workers: 2 });
const undisturbed = join(config, "..", "whole");
await expectDone(["train", config, "--out", undisturbed]);

/** Lines of events that an undisturbed run writes, and most that is waited after one of them. */
const [lineCount, waitMsMax] = [7, 60];

for (let moment = 1; moment <= moments; moment++) {
  const out = join(config, "..", `killed-${moment}`);
  const [lines, waitMs] = [1 + random.below(lineCount), random.below(waitMsMax)];
  const killed = start(["train", config, "--out", out]);
  await untilEvents(out, lines, killed);
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  killed.child.kill("SIGKILL");
  await killed.ended;
  await expectDone(["train", "--resume", out]);
  const when = `${waitMs} ms after event ${lines}`;
  if (!weightsOf(out).equals(weightsOf(undisturbed))) fail(`other weights after a kill ${when}`);
  await expectDone(["audit", "verify", out]);
  console.log(`${moment}/${moments}: killed ${when}, went on, same weights, log verified`);
}

async function expectDone(args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await start(args).ended;
  if (exitCode !== 0) fail(`faraday ${args.join(" ")} ended with ${exitCode}: ${stderr}`);
}

function fail(message: string): never {
  console.error(`seed ${seed}: ${message}`);
  process.exit(1);
}
