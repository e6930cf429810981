import type { AuditRecord, EpisodeAuditRecord } from "../core/audit.ts";
import { type Phase, phases } from "../core/episode.ts";
import { InputError } from "../core/errors.ts";
import { type Severity, severities } from "../core/syscall.ts";
import type { ShownRecord } from "../run/audit/read-records.ts";
import { openAuditSource } from "./audit-source.ts";
import type { CommandResult, Invocation } from "./command.ts";
import { choiceOption, integerOption } from "./option-values.ts";

const kinds = ["start", "intent", "outcome", "calls", "signal", "end", "batch", "update"] as const;
type Kind = (typeof kinds)[number];
const limitDefault = 1000;

/** Prints records in the order of the tree. */
export async function showAudit(invocation: Invocation): Promise<CommandResult> {
  const filter = filterOf(invocation);
  const limit = integerOption(invocation, "limit", { min: 1, max: 1_000_000_000 }) ?? limitDefault;
  await using source = await openAuditSource(invocation);
  const { readRecords } = await import("../run/audit/read-records.ts");
  const shown: ShownRecord[] = [];
  let more = false;
  for await (const record of readRecords(source.store, source.run.id)) {
    if (!matches(record, filter)) continue;
    if (shown.length === limit) {
      more = true;
      break;
    }
    shown.push(record);
  }
  if (more) invocation.terminal.stderr.write(`faraday: there is more than ${limit} records; see --limit\n`);
  return { json: shown, text: shown.map((record) => `${lineOf(record)}\n`).join("") };
}

interface Filter {
  readonly episode: string | undefined;
  readonly rule: string | undefined;
  readonly severity: Severity | undefined;
  readonly worker: number | undefined;
  readonly phase: Phase | undefined;
  readonly iteration: number | undefined;
  readonly kind: Kind | undefined;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
}

function filterOf(invocation: Invocation): Filter {
  return {
    episode: invocation.value("episode"),
    rule: invocation.value("rule"),
    severity: choiceOption(invocation, "severity", severities),
    worker: integerOption(invocation, "worker", { min: 0, max: Number.MAX_SAFE_INTEGER }),
    phase: choiceOption(invocation, "phase", phases),
    iteration: integerOption(invocation, "iteration", { min: 0, max: Number.MAX_SAFE_INTEGER }),
    kind: choiceOption(invocation, "kind", kinds),
    ...timeOption(invocation.value("time")),
  };
}

/** `FROM..TO`, either side open; what `Date` reads. */
function timeOption(text: string | undefined): Pick<Filter, "from" | "to"> {
  const open = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  if (text === undefined) return open;
  const [from, to, ...rest] = text.split("..");
  const parse = (side: string | undefined, otherwise: number) => (side ? Date.parse(side) : otherwise);
  const range = { from: parse(from, open.from), to: parse(to, open.to) };
  if (to === undefined || rest.length > 0 || Number.isNaN(range.from) || Number.isNaN(range.to)) {
    throw new InputError(
      `--time must be FROM..TO, e.g. 2026-03-01T10:00..2026-03-01T11:00Z, either side may be empty, got ${JSON.stringify(text)}`,
    );
  }
  return range;
}

function matches({ record, phase, iteration, storedAt }: ShownRecord, filter: Filter): boolean {
  if (record === null) return Object.values(filter).every((value) => value === undefined || !Number.isFinite(value));
  if (filter.episode !== undefined && !("episode" in record && record.episode === filter.episode)) return false;
  if (filter.worker !== undefined && record.worker !== filter.worker) return false;
  if (filter.phase !== undefined && phase !== filter.phase) return false;
  if (filter.iteration !== undefined && iteration !== filter.iteration) return false;
  if (filter.kind !== undefined && record.kind !== filter.kind) return false;
  if (storedAt < filter.from || storedAt > filter.to) return false;
  if (filter.rule === undefined && filter.severity === undefined) return true;
  return (
    record.kind === "outcome" &&
    record.violations.some(
      ({ rule, severity }) =>
        (filter.rule === undefined || rule === filter.rule) &&
        (filter.severity === undefined || severity === filter.severity),
    )
  );
}

function lineOf({ leaf, record, phase, iteration, statement }: ShownRecord): string {
  const batch = `${phase} ${iteration}`;
  if (record === null) return [leaf, batch, "cannot be read; see faraday audit verify"].join("  ");
  const recorder = `${record.worker}.${record.epoch}:${record.sequence}`;
  return [leaf, recorder, batch, detailsOf(record, statement)].join("  ");
}

function detailsOf(record: AuditRecord, statement: string | null): string {
  if (!("episode" in record)) return runDetails(record);
  return [record.episode, ...episodeDetails(record), ...(statement === null ? [] : [oneLine(statement)])].join("  ");
}

function episodeDetails(record: EpisodeAuditRecord): readonly (string | number)[] {
  switch (record.kind) {
    case "start":
      return ["start", `task ${record.task}`, `seed ${record.seed}`, `weights ${record.weights}`];
    case "intent":
      return [`intent ${record.step}`];
    case "outcome": {
      const rules = record.violations.map(({ policy, rule, severity }) => `${policy}/${rule} (${severity})`);
      return [`outcome ${record.step}`, `${record.verdict}, ${record.outcome}`, ...rules];
    }
    case "calls":
      return [`calls ${record.step} to ${record.step + record.args.length - 1}`, "allow, completed"];
    case "signal":
      return [`signal ${record.step}`, record.signal];
    case "end":
      return ["end", record.outcome, `reward ${record.reward}`, `cost ${record.cost}`];
    default:
      return record satisfies never;
  }
}

function runDetails(record: Exclude<AuditRecord, EpisodeAuditRecord>): string {
  if (record.kind === "update") return `update  weights ${record.weights}`;
  return `batch  ${record.episodes} episodes  digest ${record.digest}`;
}

/** What an agent wrote must not move the cursor, nor look like another record. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
}
