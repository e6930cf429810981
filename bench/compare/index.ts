import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { FaradayError, InputError, messageOf } from "../../src/core/errors.ts";
import { compareCommits } from "./comparison.ts";
import { rule } from "./difference.ts";
import { renderComparison } from "./table.ts";

const roundsMax = 30;
const roundsDefault = 6;
const percent = (share: number) => `${share * 100} %`;
/** Passed on to faraday bench. */
const passedOn = ["workload", "workers", "seconds", "governed"] as const;
const usage = `npm run bench:compare BASE HEAD -- [--rounds N] [--json] [--workload NAME]... [--workers N,N] [--seconds N] [--governed B]

Checks two commits out beside each other and runs faraday bench of both in turns, ${roundsDefault} rounds of them where
--rounds does not say otherwise. A row differs where its episodes/s of the two commits are ranked apart by more than
chance (the exact Mann-Whitney test; ${percent(rule.chance)} for all rows together by Holm's correction) and by at least ${percent(rule.ratioLeast)}.
Exit code 1 where a row of HEAD is slower. The last four options are those of faraday bench; both commits must know them.

Example: npm run bench:compare main HEAD -- --workload echo --workload sql-scripted --workers 1,2 --seconds 3
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const line = understand(args);
    if (line === "help") {
      process.stdout.write(usage);
      return 0;
    }
    const comparison = await compareCommits({
      ...line,
      repository: fileURLToPath(new URL("../..", import.meta.url)),
      tell: (text) => process.stderr.write(`${text}\n`),
    });
    process.stdout.write(line.json ? `${JSON.stringify(comparison)}\n` : renderComparison(comparison));
    return comparison.rows.some(({ verdict }) => verdict === "slower") ? 1 : 0;
  } catch (error) {
    if (!(error instanceof FaradayError)) throw error;
    process.stderr.write(`bench:compare: ${error.message}\n`);
    return error.exitCode;
  }
}

function understand(args: readonly string[]) {
  const { values, positionals } = parse(args);
  if (values.help) return "help";
  const [base, head, ...more] = positionals;
  if (base === undefined || head === undefined || more.length > 0)
    throw new InputError(`two commits must be named, BASE and HEAD, got ${positionals.length}\n\n${usage}`);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 3 || rounds > roundsMax)
    throw new InputError(`--rounds must be 3..${roundsMax}, got ${JSON.stringify(values.rounds)}`);
  const passed = passedOn.flatMap((name) => (values[name] ?? []).flatMap((value) => [`--${name}`, value]));
  return { base, head, rounds, json: values.json, args: passed };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        workload: { type: "string", multiple: true },
        workers: { type: "string", multiple: true },
        seconds: { type: "string", multiple: true },
        governed: { type: "string", multiple: true },
        rounds: { type: "string", default: String(roundsDefault) },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
      allowPositionals: true,
    });
  } catch (error) {
    throw new InputError(`${messageOf(error)}\n\n${usage}`);
  }
}
