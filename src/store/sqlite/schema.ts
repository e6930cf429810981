import { episodeOutcomes, phases } from "../../core/episode.ts";
import { severities, violationTypes } from "../../core/syscall.ts";
import { runStatuses } from "../lightning-store.ts";

/** Kept in `PRAGMA user_version`. A change of the tables counts it up. */
export const schemaVersion = 2;

/** Kept in `PRAGMA application_id`, so that any other SQLite database is told apart: "FRDY". */
export const applicationId = 0x46524459;

/** Tables and views of {@link schemaVersion}; docs/store.md explains them. */
export const schema = `
CREATE TABLE runs (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  status TEXT NOT NULL ${oneOf("status", runStatuses)},
  config TEXT NOT NULL,
  report TEXT,
  started_at INTEGER NOT NULL,
  ended_at INTEGER
) STRICT;

CREATE TABLE iterations (
  key INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs,
  phase TEXT NOT NULL ${oneOf("phase", phases)},
  iteration INTEGER NOT NULL,
  weights INTEGER NOT NULL,
  episodes INTEGER NOT NULL,
  metrics TEXT NOT NULL,
  accuracy REAL AS (metrics ->> '$.accuracy') VIRTUAL,
  violation_rate REAL AS (metrics ->> '$.violationRate') VIRTUAL,
  mean_reward REAL AS (metrics ->> '$.meanReward') VIRTUAL,
  mean_cost REAL AS (metrics ->> '$.meanCost') VIRTUAL,
  stored_at INTEGER NOT NULL,
  UNIQUE (run, phase, iteration)
) STRICT;

CREATE TABLE rollouts (
  key INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs,
  batch INTEGER NOT NULL REFERENCES iterations,
  episode TEXT NOT NULL,
  task TEXT NOT NULL,
  split TEXT NOT NULL,
  group_index INTEGER NOT NULL,
  episode_index INTEGER NOT NULL,
  seed INTEGER NOT NULL,
  weights INTEGER NOT NULL,
  worker INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  outcome TEXT NOT NULL ${oneOf("outcome", episodeOutcomes)},
  error_boundary TEXT,
  error TEXT,
  success INTEGER NOT NULL CHECK (success IN (0, 1)),
  reward REAL NOT NULL,
  cost REAL NOT NULL CHECK (cost >= 0),
  scalar_reward REAL NOT NULL,
  advantage REAL,
  steps INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  oracle TEXT,
  UNIQUE (run, episode)
) STRICT;
CREATE INDEX rollouts_by_batch ON rollouts (batch);

CREATE TABLE violations (
  key INTEGER PRIMARY KEY,
  rollout INTEGER NOT NULL REFERENCES rollouts,
  step INTEGER NOT NULL,
  statement TEXT NOT NULL,
  policy TEXT NOT NULL,
  rule TEXT NOT NULL,
  severity TEXT NOT NULL ${oneOf("severity", severities)},
  type TEXT NOT NULL ${oneOf("type", violationTypes)},
  description TEXT NOT NULL,
  blocked INTEGER NOT NULL CHECK (blocked IN (0, 1)),
  penalty REAL NOT NULL CHECK (penalty >= 0)
) STRICT;
CREATE INDEX violations_by_rollout ON violations (rollout);

-- Checked before they come here: checks in SQL were 40 % of the time of an insert.
CREATE TABLE spans (
  run INTEGER NOT NULL REFERENCES runs,
  episode TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  span_id TEXT NOT NULL,
  parent_id TEXT,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  worker INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  start_sequence INTEGER NOT NULL,
  end_sequence INTEGER NOT NULL,
  attributes TEXT NOT NULL,
  -- By episode, not by trace: episodes of a batch are neighbours, their trace ids lie all over the index (4 times as slow).
  PRIMARY KEY (run, episode, span_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_segments (
  run INTEGER NOT NULL REFERENCES runs,
  worker INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  first INTEGER NOT NULL,
  count INTEGER NOT NULL,
  previous TEXT NOT NULL,
  head TEXT NOT NULL,
  leaf INTEGER NOT NULL,
  batch INTEGER NOT NULL REFERENCES iterations,
  bytes BLOB NOT NULL,
  UNIQUE (run, worker, epoch, first),
  UNIQUE (run, leaf)
) STRICT;

CREATE TABLE audit_checkpoints (
  run INTEGER NOT NULL REFERENCES runs,
  size INTEGER NOT NULL,
  root TEXT NOT NULL,
  note TEXT NOT NULL,
  phase TEXT NOT NULL ${oneOf("phase", phases)},
  iteration INTEGER NOT NULL,
  UNIQUE (run, size)
) STRICT;

CREATE VIEW violation_report AS
SELECT runs.id AS run, iterations.phase, iterations.iteration, rollouts.weights,
  rollouts.episode, rollouts.task, violations.step, violations.statement,
  violations.policy, violations.rule, violations.severity, violations.type, violations.description, violations.blocked,
  violations.penalty, rollouts.cost AS episode_cost, rollouts.reward, rollouts.advantage
FROM violations
JOIN rollouts ON rollouts.key = violations.rollout
JOIN iterations ON iterations.key = rollouts.batch
JOIN runs ON runs.key = rollouts.run;

CREATE VIEW audit_records AS
SELECT runs.id AS run, worker, epoch, record.value ->> '$.sequence' AS sequence, record.value ->> '$.episode' AS episode,
  record.value ->> '$.kind' AS kind, record.value AS record
FROM audit_segments
JOIN runs ON runs.key = audit_segments.run
JOIN json_each('[' || replace(rtrim(CAST(bytes AS TEXT), char(10)), char(10), ',') || ']') AS record;
`;

function oneOf(column: string, values: readonly string[]): string {
  return `CHECK (${column} IN (${values.map((value) => `'${value}'`).join(", ")}))`;
}
