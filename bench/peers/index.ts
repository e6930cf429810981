import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { FaradayError, InputError, messageOf } from "../../src/core/errors.ts";
import { describeMachine } from "../../src/report/machine.ts";
import { packageVersions } from "../../src/run/package-versions.ts";
import { holdContest, type Standing } from "./contest.ts";
import { contests } from "./contests.ts";
import { renderStandings } from "./table.ts";

const usage = `npm run bench:peers -- [NAME]... [--rounds N] [--seconds N] [--json]

The same work done by Faraday and by what one would pick instead, in turns, with the ratio. All of these where none is named:
${Object.keys(contests).join(", ")}.

Peers in Python are run by the one that FARADAY_PEER_PYTHON names, python3 where it names none; packages for Node are looked for in the
folder FARADAY_PEER_MODULES. Who is missing is skipped, and said how to have.
--rounds  Turns of each, 1..100; 3 where it is not given
--seconds Time of a turn at least, 0.1..600; 3 where it is not given
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const line = understand(args);
    if (line === "help") {
      process.stdout.write(usage);
      return 0;
    }
    const { names, rounds, seconds, json } = line;
    const load = loadavg()[0] ?? 0;
    const standings: Standing[] = [];
    let missing: Readonly<Record<string, string>> = {};
    for (const name of names) {
      const contest = contests[name];
      if (contest === undefined) continue;
      const tell = (text: string) => process.stderr.write(`${text}\n`);
      const result = await holdContest(contest, { rounds, seconds, tell });
      standings.push(...result.standings);
      missing = { ...missing, ...result.missing };
    }
    const found = {
      machine: describeMachine(),
      load,
      versions: packageVersions(),
      rounds,
      seconds,
      standings,
      missing,
    };
    process.stdout.write(json ? `${JSON.stringify(found)}\n` : renderStandings(found));
    return 0;
  } catch (error) {
    if (!(error instanceof FaradayError)) throw error;
    process.stderr.write(`bench:peers: ${error.message}\n`);
    return error.exitCode;
  }
}

function understand(args: readonly string[]) {
  const { values, positionals } = parse(args);
  if (values.help) return "help";
  const unknown = positionals.find((name) => !Object.hasOwn(contests, name));
  if (unknown !== undefined) throw new InputError(`there is no contest ${JSON.stringify(unknown)}\n\n${usage}`);
  const names = positionals.length === 0 ? Object.keys(contests) : positionals;
  const rounds = within("rounds", values.rounds, { min: 1, max: 100 });
  if (!Number.isInteger(rounds)) throw new InputError(`--rounds must be a whole number, got ${values.rounds}`);
  return { names, rounds, seconds: within("seconds", values.seconds, { min: 0.1, max: 600 }), json: values.json };
}

function within(name: string, text: string, { min, max }: { readonly min: number; readonly max: number }): number {
  const value = Number(text);
  if (value >= min && value <= max) return value;
  throw new InputError(`--${name} must be ${min}..${max}, got ${JSON.stringify(text)}`);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rounds: { type: "string", default: "3" },
        seconds: { type: "string", default: "3" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
      allowPositionals: true,
    });
  } catch (error) {
    throw new InputError(`${messageOf(error)}\n\n${usage}`);
  }
}
