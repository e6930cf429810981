import { openSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { soak } from "../../bench/soak/soak.ts";

const kept: unknown[] = [];
const closing: (() => unknown)[] = [];
afterEach(async () => {
  kept.length = 0;
  for (const close of closing.splice(0)) await close();
});

/** Does `work` with `each` after it. */
function repeated(work: () => unknown) {
  return async (count: number, each: () => void) => {
    for (let index = 0; index < count; index++) {
      await work();
      each();
    }
  };
}

function leftBy(work: () => unknown) {
  return soak({ name: "work", count: 4, bytesMax: 200_000, work: repeated(work) }).then(({ left }) => left);
}

describe("a soak", () => {
  it("finds nothing where nothing is left", async () => {
    expect(await leftBy(() => new Array(100_000).fill(0).length)).toEqual([]);
  });

  it("finds memory that is kept", async () => {
    const [left, ...more] = await leftBy(() => kept.push(new Array(100_000).fill(0)));
    expect(left).toMatch(/^3\d{6} bytes, at most 200000 expected$/);
    expect(more).toEqual([]);
  });

  it("finds memory outside the heap that is kept", async () => {
    expect(await leftBy(() => kept.push(Buffer.alloc(1_000_000, 1)))).toEqual([
      expect.stringMatching(/^40\d{5} bytes/),
    ]);
  });

  it.runIf(process.platform === "linux")("finds files that are left open", async () => {
    expect(await leftBy(() => openSync("/dev/null", "r"))).toEqual([expect.stringMatching(/^descriptors \d+ → \d+$/)]);
  });

  it("finds timers that are left", async () => {
    const timers = await leftBy(() => {
      const timer = setInterval(() => {}, 1e6);
      closing.push(() => clearInterval(timer));
    });
    expect(timers).toEqual([expect.stringMatching(/^Timeout \d+ → \d+$/)]);
  });

  it.runIf(process.platform === "linux")("finds threads that are left", async () => {
    const threads = await leftBy(() => {
      const worker = new Worker("setInterval(() => {}, 1e6)", { eval: true });
      closing.push(() => worker.terminate());
    });
    expect(threads).toContainEqual(expect.stringMatching(/^threads \d+ → \d+$/));
  });

  it("finds memory that is kept while work goes on, and let go of at its end", async () => {
    const work = async (count: number, each: () => void) => {
      await repeated(() => kept.push(new Array(100_000).fill(0)))(count, each);
      kept.length = 0;
    };
    const within = { name: "work", count: 4, bytesMax: 200_000, work };
    expect((await soak(within)).left).toEqual([]);
    expect((await soak({ ...within, within: true })).left).toEqual([expect.stringMatching(/^[23]\d{6} bytes/)]);
  });
});
