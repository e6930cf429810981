import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { faraday } from "../commands/run-cli.ts";
import { chatterTrain, storedRun } from "../run/chatter.ts";
import { smallConfig, start, untilEvents, weightsOf } from "./small-run.ts";

const endless = { ...chatterTrain, iterations: 100_000 };

function place(config: string): string {
  return join(config, "..", "run");
}

describe("a training", () => {
  it("goes on without its terminal: SIGHUP, and nobody to read what it says", async () => {
    const config = smallConfig();
    const out = place(config);
    const run = start(["train", config, "--out", out]);
    await untilEvents(out, 2, run);
    run.child.stdout?.destroy();
    run.child.stderr?.destroy();
    run.child.kill("SIGHUP");
    expect((await run.ended).exitCode).toBe(0);
    expect((await storedRun(out)).status).toBe("succeeded");
    expect(weightsOf(out).length).toBeGreaterThan(0);
  });

  it("takes SIGTERM as the first Ctrl-C: the batch in hand is finished, and what is done is on disk", async () => {
    const config = smallConfig({ train: endless });
    const out = place(config);
    const run = start(["train", config, "--out", out]);
    await untilEvents(out, 4, run);
    run.child.kill("SIGTERM");
    const { exitCode, stderr } = await run.ended;
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringContaining("finishing the batch in hand"),
    });
    expect((await storedRun(out)).status).toBe("cancelled");
    expect(existsSync(join(out, "run.lock"))).toBe(false);
  });

  it("that is stopped at once by a second signal goes on to the weights that it would have had", async () => {
    const config = smallConfig();
    const [out, undisturbed] = [place(config), join(config, "..", "whole")];
    const run = start(["train", config, "--out", out]);
    await untilEvents(out, 3, run);
    run.child.kill("SIGINT");
    run.child.kill("SIGTERM");
    // It may have been done with the batch in hand before the second one came.
    expect([130, 1]).toContain((await run.ended).exitCode);
    expect(await faraday(["audit", "verify", out])).toMatchObject({ exitCode: 0 });
    expect(await faraday(["train", "--resume", out])).toMatchObject({ exitCode: 0 });
    expect(await faraday(["train", config, "--out", undisturbed])).toMatchObject({ exitCode: 0 });
    expect(weightsOf(out).equals(weightsOf(undisturbed))).toBe(true);
  });
});
