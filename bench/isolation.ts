import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import type { ResolvedConfig } from "../src/config/config-schema.ts";
import { isolations } from "../src/config/config-schema.ts";
import { loadConfig } from "../src/config/load-config.ts";
import { findWorkload } from "../src/config/workloads.ts";
import { loadEnvironment } from "../src/run/load-environment.ts";
import { Planner } from "../src/run/plan.ts";
import { RolloutPool } from "../src/run/rollout-pool.ts";

// What it costs that workers are processes: batches of the workload `sql-scripted` on two workers, as threads and as processes in turns, nothing
// stored. `npm run bench:isolation -- [rounds]`. CPU time is that of this process and of all its children, from /proc: on Linux.

const rounds = Number(process.argv[2] ?? 8);
const batches = 4;
const ticksPerSecond = 100;

interface Lane {
  readonly isolation: ResolvedConfig["isolation"];
  readonly pool: RolloutPool;
  readonly planner: Planner;
  iteration: number;
  episodes: number;
  cpuSeconds: number;
}

if (!Number.isSafeInteger(rounds) || rounds < 1) throw new RangeError(`rounds must be 1 or more, got ${rounds}`);
const { file, sets } = findWorkload("sql-scripted");
const { config } = await loadConfig({ file, sets: [...sets, "workers=2"] });
const environment = await loadEnvironment(config);
await using open = new AsyncDisposableStack();
const lanes = isolations.map((isolation): Lane => {
  const pool = open.use(
    new RolloutPool({ ...config, isolation }, null, ({ reason }) => {
      throw new Error(reason);
    }),
  );
  const planner = new Planner(environment.tasks, config.train);
  return { isolation, pool, planner, iteration: 0, episodes: 0, cpuSeconds: 0 };
});

for (const lane of lanes) await rollOut(lane);
const before = loadavg()[0];
for (let round = 0; round < rounds; round++) {
  for (const lane of round % 2 === 0 ? lanes : lanes.toReversed()) await measure(lane);
}
process.stdout.write(`load ${before?.toFixed(2)} before, ${loadavg()[0]?.toFixed(2)} after\n`);
process.stdout.write("isolation  episodes  CPU seconds  episodes per CPU second\n");
for (const { isolation, episodes, cpuSeconds } of lanes) {
  const cells = [isolation.padEnd(9), episodes, cpuSeconds.toFixed(1), (episodes / cpuSeconds).toFixed(0)];
  process.stdout.write(`${cells.map((cell) => String(cell).padStart(8)).join("  ")}\n`);
}

async function measure(lane: Lane): Promise<void> {
  const start = cpuSeconds();
  for (let batch = 0; batch < batches; batch++) lane.episodes += await rollOut(lane);
  lane.cpuSeconds += cpuSeconds() - start;
}

async function rollOut(lane: Lane): Promise<number> {
  const { episodes } = await lane.pool.run(lane.planner.training(++lane.iteration));
  return episodes.length;
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ");
  return (user + system) / 1e6 + children.reduce((sum, pid) => sum + childSeconds(pid), 0);
}

/** Fields 14 and 15 of `stat`, counted after the name in parentheses. */
function childSeconds(pid: string): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /su, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
