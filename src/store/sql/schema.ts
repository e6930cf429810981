import { episodeOutcomes, phases } from "../../core/episode.ts";
import { severities, violationTypes } from "../../core/syscall.ts";
import { runStatuses } from "../lightning-store.ts";
import type { Dialect } from "./dialect.ts";

/** A change of the tables counts it up, and adds a migration. Version 1 was never released. */
export const schemaVersion = 3;

/** What makes a store of each version out of one of the version before; that of the first out of nothing. */
export const migrations: readonly { readonly version: number; readonly sql: (dialect: Dialect) => string }[] = [
  { version: 2, sql: (dialect) => runTables(wordsOf[dialect]) },
  { version: 3, sql: (dialect) => queueTables(wordsOf[dialect]) + runViews[dialect] },
];

/** Where the databases' words differ. */
interface Words {
  readonly key: string;
  readonly integer: string;
  readonly real: string;
  readonly json: string;
  readonly bytes: string;
  /** What follows a table's closing bracket. */
  readonly table: string;
  readonly tableOfKey: string;
  readonly metric: (name: string) => string;
  readonly hex: (key: string) => string;
}

const wordsOf: Readonly<Record<Dialect, Words>> = {
  sqlite: {
    key: "INTEGER PRIMARY KEY",
    integer: "INTEGER",
    real: "REAL",
    json: "TEXT",
    bytes: "BLOB",
    table: "STRICT",
    tableOfKey: "STRICT, WITHOUT ROWID",
    metric: (name) => `REAL AS (metrics ->> '$.${name}') VIRTUAL`,
    hex: (key) => `printf('%011x', ${key})`,
  },
  postgres: {
    key: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    integer: "BIGINT",
    real: "DOUBLE PRECISION",
    // Not jsonb: what was stored comes back byte for byte, and may hold \u0000.
    json: "JSON",
    bytes: "BYTEA",
    table: "",
    tableOfKey: "",
    metric: (name) => `DOUBLE PRECISION GENERATED ALWAYS AS ((metrics ->> '${name}')::double precision) STORED`,
    hex: (key) => `lpad(to_hex(${key}), 11, '0')`,
  },
};

/** Version 2: what training runs store. */
function runTables({ key, integer, real, json, bytes, table, tableOfKey, metric }: Words): string {
  return `
CREATE TABLE runs (
  key ${key},
  id TEXT NOT NULL UNIQUE,
  status TEXT NOT NULL ${oneOf("status", runStatuses)},
  config ${json} NOT NULL,
  report ${json},
  started_at ${integer} NOT NULL,
  ended_at ${integer}
) ${table};

CREATE TABLE iterations (
  key ${key},
  run ${integer} NOT NULL REFERENCES runs,
  phase TEXT NOT NULL ${oneOf("phase", phases)},
  iteration ${integer} NOT NULL,
  weights ${integer} NOT NULL,
  episodes ${integer} NOT NULL,
  metrics ${json} NOT NULL,
  accuracy ${metric("accuracy")},
  violation_rate ${metric("violationRate")},
  mean_reward ${metric("meanReward")},
  mean_cost ${metric("meanCost")},
  stored_at ${integer} NOT NULL,
  UNIQUE (run, phase, iteration)
) ${table};

CREATE TABLE rollouts (
  key ${key},
  run ${integer} NOT NULL REFERENCES runs,
  batch ${integer} NOT NULL REFERENCES iterations,
  episode TEXT NOT NULL,
  task TEXT NOT NULL,
  split TEXT NOT NULL,
  group_index ${integer} NOT NULL,
  episode_index ${integer} NOT NULL,
  seed ${integer} NOT NULL,
  weights ${integer} NOT NULL,
  worker ${integer} NOT NULL,
  attempt ${integer} NOT NULL,
  outcome TEXT NOT NULL ${oneOf("outcome", episodeOutcomes)},
  error_boundary TEXT,
  error TEXT,
  success ${integer} NOT NULL CHECK (success IN (0, 1)),
  reward ${real} NOT NULL,
  cost ${real} NOT NULL CHECK (cost >= 0),
  scalar_reward ${real} NOT NULL,
  advantage ${real},
  steps ${integer} NOT NULL,
  tokens ${integer} NOT NULL,
  oracle ${json},
  UNIQUE (run, episode)
) ${table};
CREATE INDEX rollouts_by_batch ON rollouts (batch);

CREATE TABLE violations (
  key ${key},
  rollout ${integer} NOT NULL REFERENCES rollouts,
  step ${integer} NOT NULL,
  statement TEXT NOT NULL,
  policy TEXT NOT NULL,
  rule TEXT NOT NULL,
  severity TEXT NOT NULL ${oneOf("severity", severities)},
  type TEXT NOT NULL ${oneOf("type", violationTypes)},
  description TEXT NOT NULL,
  blocked ${integer} NOT NULL CHECK (blocked IN (0, 1)),
  penalty ${real} NOT NULL CHECK (penalty >= 0)
) ${table};
CREATE INDEX violations_by_rollout ON violations (rollout);

-- Checked before they come here: checks in SQL were 40 % of the time of an insert.
CREATE TABLE spans (
  run ${integer} NOT NULL REFERENCES runs,
  episode TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  span_id TEXT NOT NULL,
  parent_id TEXT,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  worker ${integer} NOT NULL,
  epoch ${integer} NOT NULL,
  start_sequence ${integer} NOT NULL,
  end_sequence ${integer} NOT NULL,
  attributes ${json} NOT NULL,
  -- By episode, not by trace: episodes of a batch are neighbours, their trace ids lie all over the index (4 times as slow).
  PRIMARY KEY (run, episode, span_id)
) ${tableOfKey};

CREATE TABLE audit_segments (
  run ${integer} NOT NULL REFERENCES runs,
  worker ${integer} NOT NULL,
  epoch ${integer} NOT NULL,
  first ${integer} NOT NULL,
  count ${integer} NOT NULL,
  previous TEXT NOT NULL,
  head TEXT NOT NULL,
  leaf ${integer} NOT NULL,
  batch ${integer} NOT NULL REFERENCES iterations,
  bytes ${bytes} NOT NULL,
  UNIQUE (run, worker, epoch, first),
  UNIQUE (run, leaf)
) ${table};

CREATE TABLE audit_checkpoints (
  run ${integer} NOT NULL REFERENCES runs,
  size ${integer} NOT NULL,
  root TEXT NOT NULL,
  note TEXT NOT NULL,
  phase TEXT NOT NULL ${oneOf("phase", phases)},
  iteration ${integer} NOT NULL,
  UNIQUE (run, size)
) ${table};

CREATE VIEW violation_report AS
SELECT runs.id AS run, iterations.phase, iterations.iteration, rollouts.weights,
  rollouts.episode, rollouts.task, violations.step, violations.statement,
  violations.policy, violations.rule, violations.severity, violations.type, violations.description, violations.blocked,
  violations.penalty, rollouts.cost AS episode_cost, rollouts.reward, rollouts.advantage
FROM violations
JOIN rollouts ON rollouts.key = violations.rollout
JOIN iterations ON iterations.key = rollouts.batch
JOIN runs ON runs.key = rollouts.run;
`;
}

/** Version 3: the queue, trajectories and blobs; spans of batches are no rows any more, and segments are packed. */
function queueTables({ key, integer, real, json, bytes, table, tableOfKey, hex }: Words): string {
  return `
ALTER TABLE iterations ADD COLUMN spans ${integer} NOT NULL DEFAULT 0;
ALTER TABLE iterations ADD COLUMN emit_violations ${integer};
CREATE INDEX segments_by_batch ON audit_segments (batch);

CREATE TABLE trajectories (
  batch ${integer} PRIMARY KEY REFERENCES iterations,
  bytes ${bytes} NOT NULL
) ${table};

CREATE TABLE blobs (
  sha256 TEXT PRIMARY KEY,
  bytes ${bytes} NOT NULL
) ${table};

CREATE TABLE queue_rollouts (
  key ${key},
  rollout_id TEXT NOT NULL UNIQUE,
  input ${json} NOT NULL,
  start_time ${real} NOT NULL,
  end_time ${real},
  mode TEXT,
  resources_id TEXT,
  status TEXT NOT NULL,
  config ${json} NOT NULL,
  metadata ${json},
  place ${integer},
  attempts ${integer} NOT NULL DEFAULT 0,
  deadline ${real}
) ${table};
CREATE INDEX queue_rollouts_waiting ON queue_rollouts (place) WHERE place IS NOT NULL;
CREATE INDEX queue_rollouts_due ON queue_rollouts (deadline) WHERE deadline IS NOT NULL;

CREATE TABLE queue_attempts (
  key ${key},
  rollout ${integer} NOT NULL REFERENCES queue_rollouts,
  attempt_id TEXT NOT NULL,
  sequence_id ${integer} NOT NULL,
  start_time ${real} NOT NULL,
  end_time ${real},
  status TEXT NOT NULL,
  worker_id TEXT,
  last_heartbeat_time ${real},
  metadata ${json},
  UNIQUE (rollout, sequence_id)
) ${table};

CREATE TABLE queue_workers (
  key ${key},
  worker_id TEXT NOT NULL UNIQUE,
  status TEXT NOT NULL,
  heartbeat_stats ${json},
  last_heartbeat_time ${real},
  last_dequeue_time ${real},
  last_busy_time ${real},
  last_idle_time ${real},
  current_rollout_id TEXT,
  current_attempt_id TEXT
) ${table};

CREATE TABLE queue_resources (
  key ${key},
  resources_id TEXT NOT NULL UNIQUE,
  create_time ${real} NOT NULL,
  update_time ${real} NOT NULL,
  version ${integer} NOT NULL,
  resources ${json} NOT NULL,
  change ${integer} NOT NULL
) ${table};
CREATE INDEX queue_resources_latest ON queue_resources (change);

CREATE TABLE queue_spans (
  attempt ${integer} NOT NULL REFERENCES queue_attempts,
  sequence_id ${integer} NOT NULL,
  trace_id TEXT NOT NULL,
  span_id TEXT NOT NULL,
  parent_id TEXT,
  name TEXT NOT NULL,
  start_time ${real},
  end_time ${real},
  rest ${json} NOT NULL,
  PRIMARY KEY (attempt, span_id)
) ${tableOfKey};

CREATE TABLE queue_span_sequences (
  rollout_id TEXT PRIMARY KEY,
  last ${integer} NOT NULL
) ${tableOfKey};

CREATE VIEW lightning_rollouts AS
SELECT 0 AS source, key, rollout_id, status, mode, resources_id, start_time, end_time FROM queue_rollouts
UNION ALL
SELECT 1, rollouts.key, 'ro-0' || ${hex("rollouts.key")},
  CASE outcome WHEN 'completed' THEN 'succeeded' WHEN 'cancelled' THEN 'cancelled' WHEN 'killed' THEN 'cancelled' ELSE 'failed' END,
  split, NULL, stored_at / 1000.0, stored_at / 1000.0
FROM rollouts JOIN iterations ON iterations.key = rollouts.batch;
`;
}

/** Of PostgreSQL, `faraday audit show` shows the records: it has no function that unpacks segments. */
const runViews: Readonly<Record<Dialect, string>> = {
  sqlite: `
DROP VIEW IF EXISTS audit_records;
CREATE VIEW audit_records AS
SELECT runs.id AS run, worker, epoch, record.value ->> '$.sequence' AS sequence, record.value ->> '$.episode' AS episode,
  record.value ->> '$.kind' AS kind, record.value AS record
FROM audit_segments
JOIN runs ON runs.key = audit_segments.run
JOIN json_each(faraday_records(bytes)) AS record;
`,
  postgres: "CREATE SEQUENCE queue_places; CREATE SEQUENCE queue_changes;",
};

function oneOf(column: string, values: readonly string[]): string {
  return `CHECK (${column} IN (${values.map((value) => `'${value}'`).join(", ")}))`;
}
