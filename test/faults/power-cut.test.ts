import { cpSync, existsSync, statSync, truncateSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { deriveSeed, Random } from "../../src/core/random.ts";
import { faraday } from "../commands/run-cli.ts";
import { imagesOf } from "./power-cut.ts";
import { smallConfig, weightsOf } from "./small-run.ts";

const seed = Number(process.env.FAULT_SEED ?? 1);
const imageCount = Number(process.env.FAULT_IMAGES ?? 4);
const random = new Random(deriveSeed(seed, 0));
const config = smallConfig();
const undisturbed = join(config, "..", "whole");
expect(await faraday(["train", config, "--out", undisturbed])).toMatchObject({ exitCode: 0 });
const images = process.platform === "linux" ? await imagesOf(config, imageCount, random) : [];

describe.skipIf(images.length === 0)(
  "a run whose power is cut (Linux: processes are stopped, and their directories copied)",
  () => {
    it.each(images)("loses nothing that was stored: %#", { timeout: 120_000 }, async (image) => {
      const verified = await faraday(["audit", "verify", image]);
      if (verified.exitCode !== 0) expect(verified.stdout).toContain("it has no signed tree");
      expect(await faraday(["train", "--resume", image])).toMatchObject({ exitCode: 0 });
      expect(weightsOf(image).equals(weightsOf(undisturbed))).toBe(true);
      expect(await faraday(["audit", "verify", image])).toMatchObject({ exitCode: 0 });
    });

    it("whose disk loses what it said it had written is told what is lost, or goes on", {
      timeout: 120_000,
    }, async () => {
      const whole = images.at(-1) ?? "";
      const wal = join(whole, "faraday.db-wal");
      for (let index = 0; index < 3; index++) {
        const image = join(dirname(whole), `cut-${index}`, "run");
        cpSync(whole, image, { recursive: true });
        if (existsSync(wal)) truncateSync(join(image, "faraday.db-wal"), random.below(statSync(wal).size));
        const verified = await faraday(["audit", "verify", image]);
        const resumed = await faraday(["train", "--resume", image]);
        for (const { exitCode, stderr } of [verified, resumed]) {
          expect([0, 1, 2]).toContain(exitCode);
          expect(stderr).not.toMatch(/internal error|\n\s+at /);
        }
        if (resumed.exitCode === 0) expect(weightsOf(image).equals(weightsOf(undisturbed))).toBe(true);
        else
          expect(resumed.stderr).toMatch(
            /without its state|must hold a run|does not hold that tree|no run was begun|damaged/,
          );
      }
    });
  },
);
