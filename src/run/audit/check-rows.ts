import type { RecordedBatch } from "../../audit/verify-log.ts";
import { batchDigest } from "../../store/batch-digest.ts";
import type { StoredEpisode, StoredIteration } from "../../store/lightning-store.ts";
import { figuresOf } from "../measurement.ts";
import { differenceOf } from "../reconcile.ts";
import type { RecordedEpisode, RecordedViolation } from "./recorded-episode.ts";
import type { OnFinding, RunFinding } from "./run-finding.ts";

/** A stored batch and what the log holds of it. */
export interface BatchRows {
  readonly iteration: StoredIteration;
  readonly episodes: readonly StoredEpisode[];
  readonly recorded: RecordedBatch;
  /** The records of an episode by a worker. */
  recordsOf(worker: number, episode: string): RecordedEpisode | undefined;
  /** Whether the log itself says that records of this worker are missing or changed. */
  isDisturbed(worker: number): boolean;
}

/** Compares the rows of a batch with its records, row by row and by the digest over all of them. */
export function checkRows(rows: BatchRows, onFinding: OnFinding): void {
  const { iteration, episodes, recorded } = rows;
  const at = { phase: iteration.phase, iteration: iteration.iteration };
  const name = `batch ${at.phase} ${at.iteration}`;
  let found = 0;
  const tell = (finding: RunFinding) => {
    found++;
    onFinding({ ...at, ...finding });
  };
  for (const [what, stored, signed] of [
    ["version of the weights", iteration.weights, recorded.weights],
    ["number of episodes", iteration.episodes, recorded.episodes],
    ["number of episode rows", episodes.length, recorded.episodes],
  ] as const) {
    if (stored !== signed)
      tell({ code: "batch-changed", message: `${name}: the ${what} is ${stored}, signed was ${signed}` });
  }
  for (const episode of episodes) checkEpisode(episode, rows, tell);
  checkFigures(name, rows, tell);
  const digest = batchDigest({ ...iteration, episodes });
  if (digest === recorded.digest) return;
  const hint = found > 0 ? "" : ": an advantage, a metric or another figure that only the digest covers was changed";
  onFinding({
    ...at,
    code: "batch-digest",
    message: `${name}: the rows of its episodes, violations and metrics are not those that were signed${hint} (SHA-256 ${digest}, signed was ${recorded.digest})`,
  });
}

function checkEpisode(episode: StoredEpisode, rows: BatchRows, tell: OnFinding): void {
  const { key, worker } = episode;
  // Given up with its worker: there is nothing to compare but the digest.
  if (worker === 0) return;
  const place = { worker, episode: key.id };
  const recorded = rows.recordsOf(worker, key.id);
  if (recorded === undefined) {
    const message = `episode ${key.id} is stored, and worker ${worker} has no record of it: it was added`;
    if (!rows.isDisturbed(worker)) tell({ code: "episode-added", message, ...place });
    return;
  }
  const where = { ...place, epoch: recorded.epoch, sequence: recorded.sequence };
  const changed = differenceOfRow(episode, recorded);
  if (changed !== null) {
    tell({ code: "episode-changed", message: `episode ${key.id}: ${changed}`, ...where });
  }
  const violation = differenceOfViolations(episode, recorded.violations);
  if (violation !== null) {
    tell({ code: "violation-changed", message: `episode ${key.id}: ${violation}`, ...where });
  }
}

/** A quarantined episode is stored for what its records do not agree with. */
function differenceOfRow(episode: StoredEpisode, recorded: RecordedEpisode): string | null {
  const { key } = episode;
  for (const field of ["task", "seed", "weights"] as const) {
    if (key[field] !== recorded[field]) return `${field} is ${key[field]}, recorded was ${recorded[field]}`;
  }
  return episode.outcome === "quarantined" ? null : differenceOf(episode, recorded.counts);
}

const violationFields = ["policy", "rule", "severity", "type", "description", "blocked"] as const;

function differenceOfViolations(
  { violations, outcome }: StoredEpisode,
  recorded: readonly RecordedViolation[],
): string | null {
  if (outcome === "quarantined" || violations.length !== recorded.length) return null;
  for (const [index, stored] of violations.entries()) {
    const { step, statement, violation } = recorded[index] as RecordedViolation;
    const pairs: readonly (readonly [string, unknown, unknown])[] = [
      ["step", stored.step, step],
      ["statement", stored.statement, statement],
      ...violationFields.map((field) => [field, stored[field], violation[field]] as const),
      ["penalty", stored.penalty, violation.penalty ?? stored.penalty],
    ];
    const pair = pairs.find(([, one, other]) => wellFormed(one) !== wellFormed(other));
    if (pair !== undefined) {
      const [field, one, other] = pair;
      return `${field} of violation ${index} in step ${step} is ${JSON.stringify(one)}, recorded was ${JSON.stringify(other)}`;
    }
  }
  return null;
}

/** A store holds whole characters; see {@link batchDigest}. */
function wellFormed(value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed() : value;
}

/** Figures that follow from the episodes: says whether rows or metrics were changed. */
function checkFigures(name: string, { iteration, episodes }: BatchRows, tell: OnFinding): void {
  for (const [metric, value] of Object.entries(figuresOf(episodes))) {
    const stored = iteration.metrics[metric];
    if (stored === value) continue;
    tell({ code: "metric-changed", message: `${name}: metric ${metric} is ${stored}, its episodes give ${value}` });
  }
}
