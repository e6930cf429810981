import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { messageOf } from "../../src/core/errors.ts";
import { describeMachine } from "../../src/report/machine.ts";
import { activities } from "./activities.ts";
import { type Soaked, soak } from "./soak.ts";

const timesMax = 1000;
const usage = `npm run soak -- [--times N] [--json]

Does over and over what a long run does, and counts what is left: handles, threads, file descriptors, bytes of the heap.
--times, 1..${timesMax}, multiplies every count; 1 is what continuous integration does. Stores in PostgreSQL are opened where
FARADAY_TEST_POSTGRES names a server. Exit code 1 where anything is left.
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const line = understand(args);
  if (typeof line === "string") {
    process.stderr.write(`soak: ${line}\n\n${usage}`);
    return 2;
  }
  if (line.help) {
    process.stdout.write(usage);
    return 0;
  }
  const load = loadavg()[0] ?? 0;
  const soaked = await soakAll(line.times);
  const { user, system } = process.cpuUsage();
  const cpuSeconds = (user + system) / 1e6;
  const document = { machine: describeMachine(), load, times: line.times, cpuSeconds, soaked };
  if (line.json) process.stdout.write(`${JSON.stringify(document)}\n`);
  else process.stdout.write(`${cpuSeconds.toFixed(1)} s of processor time, load ${load.toFixed(2)} before\n`);
  return soaked.every(({ left }) => left.length === 0) ? 0 : 1;
}

async function soakAll(times: number): Promise<readonly Soaked[]> {
  const folder = mkdtempSync(join(tmpdir(), "faraday-soak-"));
  const soaked: Soaked[] = [];
  try {
    for (const activity of await activities(times, { folder, postgres: process.env.FARADAY_TEST_POSTGRES })) {
      const result = await soak(activity);
      process.stderr.write(`${sentence(result)}\n`);
      soaked.push(result);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return soaked;
}

function sentence({ name, count, seconds, bytesGrown, left }: Soaked): string {
  const kilobytes = (bytesGrown / 1024).toFixed(0);
  const outcome = left.length === 0 ? "nothing left" : `LEFT: ${left.join("; ")}`;
  return `${name}: ${count} in ${seconds.toFixed(1)} s, ${kilobytes} KiB more: ${outcome}`;
}

/** What is wrong with the arguments, in words, or what they ask for. */
function understand(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        times: { type: "string", default: "1" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    const times = Number(values.times);
    if (Number.isInteger(times) && times >= 1 && times <= timesMax) return { ...values, times };
    return `--times must be 1..${timesMax}, got ${JSON.stringify(values.times)}`;
  } catch (error) {
    return messageOf(error);
  }
}
