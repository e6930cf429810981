import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStore } from "../../src/store/open.ts";
import { runChatter } from "../run/chatter.ts";
import { canStart, PostgresServer, skipReason, type stops } from "./postgres-server.ts";
import { type Running, smallConfig, smallTrain, start, untilEvents, weightsOf } from "./small-run.ts";

const timeout = 120_000;
/** Long enough to be under way still when its server is stopped. */
const train = { ...smallTrain, iterations: 12, checkpointEvery: 12 };

describe.skipIf(!canStart)(`a run whose PostgreSQL goes away (skipped where ${skipReason})`, () => {
  const server = new PostgresServer();
  let url: string;
  let whole: Awaited<ReturnType<typeof runChatter>>;
  beforeAll(async () => {
    url = await server.start();
    whole = await runChatter({ train, workers: 1 });
  }, timeout);
  afterAll(() => server[Symbol.asyncDispose]());

  /** A run that has a schema to itself. */
  function begin(schema: string, changes: Readonly<Record<string, unknown>> = {}) {
    const store = `${url}?schema=${schema}`;
    const config = smallConfig({ store, train, ...changes });
    const out = join(config, "..", "run");
    return { store, out, running: start(["train", config, "--out", out]) };
  }

  /** Stops the server while the run stands still in the middle of something, so that it cannot end before. */
  async function stopAfter(events: number, how: keyof typeof stops, { out, running }: ReturnType<typeof begin>) {
    await untilEvents(out, events, running);
    running.child.kill("SIGSTOP");
    await server.stop(how);
    running.child.kill("SIGCONT");
  }

  /** Every episode once, and the weights of a run with a store that nothing happened to. */
  async function expectWhole({ store, out }: { readonly store: string; readonly out: string }): Promise<void> {
    expect(weightsOf(out, train).equals(weightsOf(whole.out, train))).toBe(true);
    await using opened = await openStore(store, { baseDir: out });
    expect(await opened.runs()).toMatchObject([{ status: "succeeded" }]);
    expect((await opened.episodes("run")).map(withoutWorker)).toEqual(whole.episodes.map(withoutWorker));
    expect(await start(["audit", "verify", out]).ended).toMatchObject({ exitCode: 0 });
  }

  it.each([
    ["fast", 2],
    ["immediate", 4],
    ["immediate", 6],
  ] as const)(
    "stopped (%s) after event %i: the run waits, and ends as if it had never gone",
    async (how, events) => {
      const run = begin(`back_${how}_${events}`);
      const { running } = run;
      await stopAfter(events, how, run);
      await untilSaid(running, /does not answer; trying again for 600 s/);
      await server.start();
      expect(await running.ended).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("answers again") });
      await expectWhole(run);
    },
    timeout,
  );

  it(
    "and stays away: the run ends with what to do, and goes on once that is done",
    async () => {
      const run = begin("stays", { deadlines: { storeMs: 500 } });
      await stopAfter(3, "fast", run);
      const { exitCode, stderr } = await run.running.ended;
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(
        /does not answer, and did not within 0\.5 s \(deadlines\.storeMs\): .*: see that its server runs and takes connections, then go on with faraday train --resume \/.*\/run\n$/,
      );
      expect(stderr).not.toMatch(/\n\s+at /);
      expect(await start(["train", "--resume", run.out]).ended).toMatchObject({
        exitCode: 2,
        stderr: expect.stringMatching(
          /^faraday: store postgres:\/\/\S+ cannot be opened: .*ECONNREFUSED.*: see that its server runs and takes connections, then go on with faraday train --resume \/.*\/run\n$/,
        ),
      });
      await server.start();
      expect(await start(["train", "--resume", run.out]).ended).toMatchObject({ exitCode: 0 });
      await expectWhole(run);
    },
    timeout,
  );
});

function withoutWorker<Episode extends { readonly worker: number }>({ worker: _, ...episode }: Episode) {
  return episode;
}

async function untilSaid({ child, said }: Running, what: RegExp): Promise<void> {
  while (!what.test(said.stderr) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
}
