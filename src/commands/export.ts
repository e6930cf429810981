import { resolve } from "node:path";
import { phases } from "../core/episode.ts";
import { FaradayError, InputError } from "../core/errors.ts";
import type { GoldAnswers } from "../export/episode-format.ts";
import type { ExportJob, ExportProgress, ExportSummary } from "../export/export-episodes.ts";
import type { FormatName } from "../export/formats.ts";
import type { ExportOutput } from "../export/output.ts";
import type { Command, CommandResult, Invocation, Output } from "./command.ts";
import { streamOutput } from "./export-output.ts";
import { choiceOption } from "./option-values.ts";
import { runAnswers } from "./run-answers.ts";
import { openRunSource, type RunSource } from "./run-source.ts";
import { runTokenizer } from "./run-tokenizer.ts";

const formatNames: readonly FormatName[] = [
  ...(["jsonl", "parquet", "trl", "trl-completion", "trl-preference", "verifiers", "art"] as const),
];

export const exportCommand: Command = {
  usage: ["export <run | store URL> --format F --out FILE [--filter EXPR] [--phase P] [--run ID] [--force]"],
  description: `Formats:
  jsonl           an episode a line: ids, texts, token ids, log-probabilities, rewards, costs, advantages, violations
  parquet         the same as columns, for pyarrow, DuckDB and pandas
  trl             TRL, conversational language modelling (messages)
  trl-completion  TRL, conversational prompt and completion
  trl-preference  TRL, conversational preference: the best and the worst episode of each group
  verifiers       verifiers, results.jsonl
  art             OpenPipe ART, a trajectory group a line

A filter compares fields with = != < <= > >= and joins with and, or, not and parentheses. Fields: episode, phase, iteration,
group_index, episode_index, task, split, weights, worker, attempt, outcome, success, reward, cost, scalar_reward, advantage, steps,
violations and tokens (how many). docs/export.md says what each field holds.

The file is in its place once it is whole: it is written as FILE.partial before. A run that goes on is exported as far as it is stored.`,
  positionals: { min: 1, max: 1, names: ["<run>"] },
  options: {
    format: { value: "F", summary: `One of ${formatNames.join(", ")}` },
    out: { value: "FILE", summary: "Where to; - is stdout, for all formats but parquet" },
    filter: { value: "EXPR", summary: "Only episodes of which this holds" },
    phase: { value: "P", summary: `Only one of ${phases.join(", ")}` },
    run: { value: "ID", summary: "Which run, where the store has several" },
    tokenizer: { value: "FILE", summary: "The tokenizer.json of its policy model", default: "the run's own" },
    force: { summary: "Replace the file if there is one" },
  },
  examples: [
    "faraday export runs/first --format jsonl --out episodes.jsonl",
    `faraday export runs/first --format trl --filter "success=true and violations=0 and phase=train" --out sft.jsonl`,
    "faraday export postgres://db/faraday --run first --format parquet --out episodes.parquet",
    "faraday export runs/first --format jsonl --phase after --out - | jq .reward",
  ],
  run: runExport,
};

async function runExport(invocation: Invocation): Promise<CommandResult> {
  const { signal, terminal, json } = invocation;
  const out = required(invocation, "out", "FILE, or - for stdout");
  const name =
    choiceOption(invocation, "format", formatNames) ?? required(invocation, "format", formatNames.join(", "));
  const phase = choiceOption(invocation, "phase", phases);
  const [{ formats }, { parseFilter }, { exportEpisodes }] = await Promise.all([
    import("../export/formats.ts"),
    import("../export/filter.ts"),
    import("../export/export-episodes.ts"),
  ]);
  const format = formats[name as FormatName];
  const expression = invocation.value("filter");
  const filter = expression === undefined ? undefined : parseFilter(expression);
  if (out === "-" && !format.text) throw new InputError(`${name} cannot go to stdout; name a file with --out`);
  if (out === "-" && json) throw new InputError("--json and --out - both want stdout; name a file with --out");
  await using source = await openRunSource(invocation.positionals[0] ?? "", {
    command: "export",
    run: invocation.value("run"),
  });
  const tokenizer = runTokenizer(source, invocation.value("tokenizer"));
  if (tokenizer === null && format.needsMessages) {
    throw new InputError(`${name} needs the tokenizer of the policy model, and the run has none; see --tokenizer`);
  }
  const answers = format.needsAnswers ? await answersOf(source, terminal.stderr) : undefined;
  await using output = await openOutput(out, invocation);
  const { store, run } = source;
  const onProgress = progressOn(terminal.stderr);
  const job: ExportJob = { store, run: run.id, phase, tokenizer, signal, format, filter, output, answers, onProgress };
  const summary = await exportEpisodes(job).catch((error: unknown) => {
    if (!signal.aborted) throw error;
    throw new FaradayError("the export was stopped; nothing was written", { cause: error });
  });
  if (tokenizer === null) terminal.stderr.write("faraday: no tokenizer was found, so that the episodes have no text\n");
  tellSilent(summary, terminal.stderr);
  const { read, episodes, rows } = summary;
  const file = out === "-" ? null : resolve(out);
  return {
    json: { run: run.id, format: name, file, read, episodes, rows, bytes: output.bytes },
    text: file === null ? "" : `${episodes} of ${read} episodes, ${rows} rows, ${output.bytes} bytes: ${file}\n`,
  };
}

function required({ value }: Invocation, option: string, what: string): string {
  const given = value(option);
  if (given !== undefined && given !== "") return given;
  throw new InputError(`faraday export needs --${option} ${what}; see faraday export --help`);
}

async function openOutput(out: string, { terminal, flag }: Invocation): Promise<ExportOutput> {
  if (out === "-") return streamOutput(terminal.stdout);
  const { OutputFile } = await import("../export/output-file.ts");
  return await OutputFile.create(resolve(out), { force: flag("force") });
}

async function answersOf(source: RunSource, output: Output): Promise<GoldAnswers> {
  const { answers, problem } = await runAnswers(source);
  if (problem !== null) output.write(`faraday: the gold answers of the tasks are left empty: ${problem}\n`);
  return answers;
}

function tellSilent({ silent }: ExportSummary, output: Output): void {
  if (silent === 0) return;
  output.write(`faraday: ${silent} episodes were left out, since the store has no tokens of them\n`);
}

const progressEveryMs = 5_000;

/** A line now and then: nothing where the export is short. */
function progressOn(output: Output): (progress: ExportProgress) => void {
  let saidAt = performance.now();
  return ({ batch, batches, episodes }) => {
    if (performance.now() - saidAt < progressEveryMs) return;
    saidAt = performance.now();
    output.write(`batch ${batch} of ${batches}, ${episodes} episodes\n`);
  };
}
