import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RunEvent } from "../../../src/index.ts";
import { faraday } from "../../commands/run-cli.ts";
import { type ChatterOptions, type ChatterRun, runChatter } from "../../run/chatter.ts";
import type { faults } from "../../run/chatter-env.ts";
import type { Round } from "./round.ts";
import type { Tally } from "./tally.ts";

type Fault = (typeof faults)[number];

const train = { iterations: 2, groupsPerBatch: 9, groupSize: 2, groupsPerTask: 3, evalEpisodes: 2 };
const deadlines = { stepMs: 1000, resetMs: 1000, scoreMs: 1000 };
/** Evaluations of a run: ungoverned, before, after. */
const evaluations = 3;

/** Faults of one task's episodes, which are lost with what they would have taught. */
const losing: readonly (readonly [Fault, ChatterOptions])[] = [
  ...(["exit", "exit-later", "throw", "throw-later", "nan-reward", "cyclic-answer", "reject-later"] as const).map(
    (fault) => [fault, {}] as const,
  ),
  ...(["leak-timers", "pollute", "no-observation"] as const).map((fault) => [fault, {}] as const),
  ...(["loop", "loop-reset", "loop-score", "wasm-loop", "spin", "never", "hang"] as const).map(
    (fault) => [fault, { deadlines }] as const,
  ),
  ["fill-heap", { workerLimits: { heapMb: 64 } }],
];

/** In this process, on the real pool: environments that break, hang, or end their worker. */
export async function environmentRounds(): Promise<readonly Round[]> {
  const undisturbed = weightsOf(await runChatter({ train }));
  return [
    ...losing.map(([fault, options]) => roundOf(fault, options, () => {})),
    // What was tried again is as if nothing had happened.
    roundOf("exit-often", { retries: { died: 50, taskFaults: 1000 } }, (tally, run) =>
      tally.compare(weightsOf(run), undisturbed),
    ),
  ];
}

function roundOf(fault: Fault, options: ChatterOptions, check: (tally: Tally, run: ChatterRun) => void): Round {
  return {
    name: `environment: ${fault}`,
    run: async (tally) => {
      const events: RunEvent[] = [];
      const run = await runChatter({ train, fault, ...options, onEvent: (event) => events.push(event) });
      const broken = events.filter(({ type }) => type === "task-failure" || type === "stray-error");
      const lost = run.episodes.filter(({ outcome }) => outcome === "failed" || outcome === "timed-out");
      tally.injected(`environment: ${fault}`, Math.max(broken.length, lost.length, 1));
      tally.trainings++;
      tally.episodes += run.episodes.length;
      check(tally, run);
      await expectWhole(tally, run);
    },
  };
}

/** The run has ended well, each planned episode is there once, and the log verifies. */
async function expectWhole(tally: Tally, { report, episodes, out }: ChatterRun): Promise<void> {
  tally.expect(report.status === "succeeded", `the run ended as ${report.status}`);
  const names = new Set(episodes.map(({ key }) => key.id.split("~")[0]));
  const planned = train.iterations * train.groupsPerBatch * train.groupSize + evaluations * train.evalEpisodes;
  tally.expect(
    names.size === planned && episodes.length === planned,
    `${planned} episodes were planned, ${episodes.length} are stored`,
  );
  const { exitCode, stdout, stderr } = await faraday(["audit", "verify", out]);
  tally.expect(exitCode === 0, `audit verify: ${stdout}${stderr}`);
}

function weightsOf({ out }: ChatterRun): Buffer {
  return readFileSync(join(out, "checkpoints", String(train.iterations), "model.safetensors"));
}
