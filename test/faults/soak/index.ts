import { chmodSync, globSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Census, grownHandles, takeSettledCensus } from "../../../bench/soak/census.ts";
import { settlingBytes } from "../../../bench/soak/soak.ts";
import { messageOf } from "../../../src/core/errors.ts";
import { deriveSeed, Random } from "../../../src/core/random.ts";
import { environmentRounds } from "./environment-rounds.ts";
import { processRounds } from "./process-rounds.ts";
import type { Round } from "./round.ts";
import { Tally } from "./tally.ts";

const minutesMax = 1440;
const usage = `npm run soak:faults -- [--minutes N] [--seed N]

Trains over and over, on the real pool, while faults are injected: environments that exit, throw, hang, loop and fill the heap, processes that are
killed and go on, stores that are restarted. Every kind once, then by chance for so many minutes (1..${minutesMax}, default 30). Counts what this
process holds after the first of each kind and at the end. Exit code 1 where a run ends otherwise than it must, or anything is left.
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const line = understand(args);
  if (typeof line === "string") {
    process.stderr.write(`soak:faults: ${line}\n\n${usage}`);
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), "faraday-soak-"));
  // The user of a PostgreSQL server is another one.
  chmodSync(folder, 0o755);
  // What rounds leave lies there.
  process.env.TMPDIR = folder;
  try {
    return await soak(line, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Line {
  readonly minutes: number;
  readonly seed: number;
}

async function soak({ minutes, seed }: Line, folder: string): Promise<number> {
  await using resources = new AsyncDisposableStack();
  const tally = new Tally();
  const rounds = [...(await environmentRounds()), ...(await processRounds(resources))];
  const kept = new Set(readdirSync(folder));
  const setting = { tally, seed, folder, kept };
  for (const [index, round] of rounds.entries()) await play(round, { ...setting, index });
  const before = await takeSettledCensus();
  let index = rounds.length;
  const until = performance.now() + minutes * 60_000;
  for (; performance.now() < until; index++) {
    const chosen = new Random(deriveSeed(seed, index)).below(rounds.length);
    await play(rounds[chosen] as Round, { ...setting, index });
  }
  const after = await takeSettledCensus(before);
  const left = [...grownHandles(before.handles, after.handles)];
  if (after.bytes - before.bytes > settlingBytes) left.push(`${after.bytes - before.bytes} bytes of memory`);
  process.stdout.write(summary(tally, { minutes, seed, rounds: index, before, after, left }));
  return tally.problems.length + left.length === 0 && tally.comparable === tally.equal ? 0 : 1;
}

interface Played {
  readonly tally: Tally;
  readonly seed: number;
  readonly index: number;
  readonly folder: string;
  /** What in it is no round's. */
  readonly kept: ReadonlySet<string>;
}

async function play({ name, run }: Round, { tally, seed, index, folder, kept }: Played): Promise<void> {
  const known = tally.problems.length;
  await run(tally, new Random(deriveSeed(seed, 1, index))).catch((error: unknown) => {
    tally.problems.push(messageOf(error));
  });
  const unfinished = globSync("**/checkpoints/*.{partial,earlier}", { cwd: folder });
  tally.expect(unfinished.length === 0, `left: ${unfinished.join(", ")}`);
  for (const entry of readdirSync(folder)) {
    if (!kept.has(entry)) rmSync(join(folder, entry), { recursive: true, force: true });
  }
  for (const problem of tally.problems.slice(known)) {
    process.stderr.write(`soak:faults: seed ${seed}, round ${index}, ${name}: ${problem}\n`);
  }
}

interface Ended extends Line {
  readonly rounds: number;
  readonly before: Census;
  readonly after: Census;
  readonly left: readonly string[];
}

function summary(tally: Tally, { minutes, seed, rounds, before, after, left }: Ended): string {
  const { trainings, episodes, resumes, comparable, equal, faults, problems } = tally;
  return [
    `${minutes} minutes, seed ${seed}, load ${(loadavg()[0] ?? 0).toFixed(1)}: ${rounds} rounds`,
    `trainings ${trainings}, episodes ${episodes}, resumes ${resumes}`,
    ...Object.entries(faults).map(([kind, count]) => `  ${kind}: ${count}`),
    `weights equal to the undisturbed run: ${comparable === equal ? "yes" : "no"}, ${equal} of ${comparable} that can be compared`,
    `memory ${mebibytes(before)} MiB at the begin, ${mebibytes(after)} MiB at the end`,
    `handles at the begin ${JSON.stringify(before.handles)}, at the end ${JSON.stringify(after.handles)}`,
    problems.length === 0 ? "every run ended as it must" : `${problems.length} problems, see above`,
    left.length === 0 ? "nothing left" : `LEFT: ${left.join("; ")}`,
    "",
  ].join("\n");
}

function mebibytes({ bytes }: Census): string {
  return (bytes / 2 ** 20).toFixed(1);
}

/** What is wrong with the arguments, in words, or what they ask for. */
function understand(args: readonly string[]): Line | string {
  try {
    const options = { minutes: { type: "string", default: "30" }, seed: { type: "string", default: "1" } } as const;
    const { values } = parseArgs({ args: [...args], options });
    const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
    if (!(minutes >= 1 && minutes <= minutesMax)) return `--minutes must be 1..${minutesMax}, got ${values.minutes}`;
    return Number.isSafeInteger(seed) ? { minutes, seed } : `--seed must be an integer, got ${values.seed}`;
  } catch (error) {
    return messageOf(error);
  }
}
