import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { describeMachine } from "../src/report/machine.ts";
import { packageVersions } from "../src/run/package-versions.ts";
import { type MeasuredTask, measureSuite } from "./measure-suite.ts";
import { type BenchDocument, renderBench } from "./render.ts";
import { suites } from "./suites.ts";

const usage = `npm run bench -- [suite]... [--json]

Suites, all of them where none is named: ${Object.keys(suites).join(", ")}
`;
const options = { rounds: 3, timeMs: 500, runsMin: 2, warmup: true };

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const line = understand(args);
  if (typeof line === "string") {
    process.stderr.write(`${line}\n\n${usage}`);
    return 2;
  }
  if (line.help) {
    process.stdout.write(usage);
    return 0;
  }
  const document: BenchDocument = {
    machine: describeMachine(),
    load: loadavg()[0] ?? 0,
    versions: packageVersions(),
    rounds: options.rounds,
    tasks: await measure(line.names),
  };
  process.stdout.write(line.json ? `${JSON.stringify(document)}\n` : renderBench(document));
  return 0;
}

async function measure(names: readonly string[]): Promise<readonly MeasuredTask[]> {
  const tasks: MeasuredTask[] = [];
  for (const [name, load] of Object.entries(suites)) {
    if (names.length > 0 && !names.includes(name)) continue;
    process.stderr.write(`${name}\n`);
    tasks.push(...(await measureSuite(name, await load(), options)));
  }
  return tasks;
}

/** What is wrong with the arguments, in words, or what they ask for. */
function understand(args: readonly string[]) {
  try {
    const { values, positionals: names } = parseArgs({
      args: [...args],
      options: { json: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
      allowPositionals: true,
    });
    const unknown = names.find((name) => !Object.hasOwn(suites, name));
    return unknown === undefined ? { ...values, names } : `there is no suite ${JSON.stringify(unknown)}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
