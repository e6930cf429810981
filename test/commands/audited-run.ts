import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import { loadAuditKey } from "../../src/audit/audit-key.ts";
import { signCheckpoint } from "../../src/audit/checkpoint.ts";
import { CompactRange } from "../../src/audit/compact-range.ts";
import { KnownHeads } from "../../src/audit/known-heads.ts";
import { lineHashes } from "../../src/audit/line-hashes.ts";
import { defaultConfigFile, loadConfig } from "../../src/config/load-config.ts";
import { genesis, recordHash } from "../../src/core/audit.ts";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import { train } from "../../src/run/train.ts";
import { unpackSegment } from "../../src/store/sql/segment-codec.ts";
import { faraday } from "./run-cli.ts";

/** A real run of the shipped SQL agent, for as few iterations as leave something to tamper with. */
export interface AuditedRun {
  /** A folder for whatever a test makes. */
  readonly home: string;
  readonly directory: string;
  /** Name of its log. */
  readonly origin: string;
  /** A copy for one test. */
  copy(): RunCopy;
}

export async function auditedRun(): Promise<AuditedRun> {
  const home = mkdtempSync(join(tmpdir(), "faraday-audit-"));
  const directory = join(home, "run");
  const overrides = {
    ...{ "train.iterations": 2, "train.groupsPerBatch": 8, "train.groupSize": 8, "train.groupsPerTask": 2 },
    ...{ "train.evalEpisodes": 16, "train.checkpointEvery": 1, workers: 2 },
  };
  const { config } = await loadConfig({ file: defaultConfigFile, overrides });
  await train({ config, out: directory });
  const { origin } = JSON.parse((await faraday(["audit", "verify", directory, "--json"])).stdout) as AuditedRun;
  const copy = () => {
    const place = join(mkdtempSync(join(home, "copy-")), "run");
    cpSync(directory, place, { recursive: true });
    return new RunCopy(place, origin);
  };
  return { home, directory, origin, copy };
}

/** A copy of a run, to change as anyone can who may write its files. */
export class RunCopy {
  readonly directory: string;
  readonly origin: string;

  constructor(directory: string, origin: string) {
    this.directory = directory;
    this.origin = origin;
  }

  sql<Result>(change: (database: DatabaseSync) => Result): Result {
    using database = new DatabaseSync(join(this.directory, "faraday.db"));
    database.exec("PRAGMA foreign_keys = OFF");
    return change(database);
  }

  file(name: string): string {
    return join(this.directory, name);
  }

  json<Value>(name: string, change: (value: Value) => void): void {
    const value = JSON.parse(readFileSync(this.file(name), "utf8"));
    change(value);
    writeFileSync(this.file(name), JSON.stringify(value));
  }

  async verify(...options: readonly string[]) {
    const { exitCode, stdout, stderr } = await faraday(["audit", "verify", this.directory, "--json", ...options]);
    expect(stderr).toBe("");
    return { exitCode, ...(JSON.parse(stdout) as Verified) };
  }
}

interface Verified {
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  readonly knownHead: { readonly size: number } | null;
}

export interface Finding {
  readonly code: string;
  readonly message: string;
  readonly worker?: number;
  readonly phase?: string;
  readonly iteration?: number;
  readonly episode?: string;
}

export async function expectFound(tampered: RunCopy, finding: Partial<Finding> & { code: string }, message: RegExp) {
  const { exitCode, ok, findings } = await tampered.verify();
  expect({ exitCode, ok }).toEqual({ exitCode: 1, ok: false });
  expect(findings).toContainEqual(expect.objectContaining({ ...finding, message: expect.stringMatching(message) }));
}

/** The key that signed, to sign with it as someone would who has stolen it. */
export function ownKey() {
  const { privateKey, publicKey } = loadAuditKey();
  return { privateKey, publicKey };
}

/** Lets the heads know a copy, as if it had been trained there. */
export function known(tampered: RunCopy): RunCopy {
  const place = tampered.file("faraday.db");
  const [size, root] = tampered.sql((database) => {
    const last = database.prepare("SELECT size, root FROM audit_checkpoints ORDER BY size DESC LIMIT 1").get();
    return [Number(last?.size), String(last?.root)] as const;
  });
  new KnownHeads().begin({ place, run: "run", origin: tampered.origin, size, root });
  return tampered;
}

/** Condition that picks the first worker segment of a phase. */
export function firstOf(phase: string): string {
  return `leaf = (SELECT min(leaf) FROM audit_segments JOIN iterations ON iterations.key = batch WHERE phase = '${phase}')`;
}

export function flip(database: DatabaseSync, where: string): void {
  const row = database
    .prepare(
      `SELECT audit_segments.leaf AS leaf, bytes FROM audit_segments JOIN iterations ON iterations.key = batch WHERE ${where} ORDER BY leaf`,
    )
    .get();
  const bytes = unpackSegment(row?.bytes as Uint8Array);
  const letter = Buffer.from(bytes).indexOf('"task":"') + '"task":"'.length;
  bytes[letter] = (bytes[letter] as number) ^ 1;
  database.prepare("UPDATE audit_segments SET bytes = ? WHERE leaf = ?").run(bytes, row?.leaf ?? null);
}

/** Swaps the bytes of the first two workers' segments of a batch. */
export function swapSegments(database: DatabaseSync): void {
  const [one, other] = database
    .prepare(
      `SELECT leaf, bytes FROM audit_segments JOIN iterations ON iterations.key = batch
       WHERE phase = 'train' AND iteration = 1 AND worker > 0 ORDER BY leaf LIMIT 2`,
    )
    .all();
  const update = database.prepare("UPDATE audit_segments SET bytes = ? WHERE leaf = ?");
  update.run(one?.bytes ?? null, other?.leaf ?? null);
  update.run(other?.bytes ?? null, one?.leaf ?? null);
}

export function rewrite(
  tampered: RunCopy,
  where: string,
  change: (lines: readonly string[]) => readonly string[],
): void {
  tampered.sql((database) => {
    const row = database.prepare(`SELECT leaf, bytes FROM audit_segments WHERE ${where}`).get();
    const lines = Buffer.from(unpackSegment(row?.bytes as Uint8Array))
      .toString()
      .trimEnd()
      .split("\n");
    const bytes = Buffer.from(`${change(lines).join("\n")}\n`);
    database.prepare("UPDATE audit_segments SET bytes = ? WHERE leaf = ?").run(bytes, row?.leaf ?? null);
  });
}

/** Changes records and makes every chain, column and batch record fit again: all that a forger without the key can do. */
export function rechain(
  database: DatabaseSync,
  change: (record: Record<string, unknown>) => Record<string, unknown>,
): void {
  const heads = new Map<string, string>();
  const sealed = new Map<string, string[]>();
  const rows = database.prepare("SELECT leaf, worker, epoch, first, bytes FROM audit_segments ORDER BY leaf").all();
  const update = database.prepare("UPDATE audit_segments SET previous = ?, head = ?, bytes = ? WHERE leaf = ?");
  for (const { leaf, worker, epoch, first, bytes } of rows) {
    const recorder = `${worker} ${epoch}`;
    const before = heads.get(recorder) ?? genesis;
    let previous = before;
    const lines = Buffer.from(unpackSegment(bytes as Uint8Array))
      .toString()
      .trimEnd()
      .split("\n")
      .map((line) => {
        const record = change(JSON.parse(line));
        if (record.kind === "batch") record.segments = (record.segments as Sealed[]).map(fit);
        const text = canonicalJson({ ...record, previous });
        previous = recordHash(text);
        return text;
      });
    heads.set(recorder, previous);
    sealed.set(`${recorder} ${first}`, [before, previous]);
    update.run(before, previous, Buffer.from(`${lines.join("\n")}\n`), leaf ?? null);
  }
  function fit(segment: Sealed) {
    const [previous, head] = sealed.get(`${segment.worker} ${segment.epoch} ${segment.first}`) ?? [];
    return { ...segment, previous, head };
  }
}

interface Sealed {
  readonly worker: number;
  readonly epoch: number;
  readonly first: number;
}

/** Signs every tree anew over what the segments hold. */
export function resign(database: DatabaseSync, key: Parameters<typeof signCheckpoint>[1], name?: string): void {
  const tree = new CompactRange();
  const roots = new Map<number, string>();
  for (const { bytes } of database.prepare("SELECT bytes FROM audit_segments ORDER BY leaf").all()) {
    for (const leaf of lineHashes(unpackSegment(bytes as Uint8Array)).hashes) tree.append(leaf);
    roots.set(tree.size, tree.root());
  }
  for (const { size, note: before } of database.prepare("SELECT size, note FROM audit_checkpoints").all()) {
    const root = roots.get(Number(size)) ?? "";
    const origin = name ?? String(before).split("\n", 1)[0] ?? "";
    const { note } = signCheckpoint({ origin, size: Number(size), root }, key);
    database.prepare("UPDATE audit_checkpoints SET root = ?, note = ? WHERE size = ?").run(root, note, size ?? null);
  }
}

/** Everything of the last evaluation, as if it had never been. */
export function cutLastBatch(database: DatabaseSync): void {
  const last = "(SELECT key FROM iterations WHERE phase = 'after')";
  database.exec(`
    DELETE FROM violations WHERE rollout IN (SELECT key FROM rollouts WHERE batch = ${last});
    DELETE FROM spans WHERE episode LIKE 'after-%';
    DELETE FROM rollouts WHERE batch = ${last};
    DELETE FROM audit_segments WHERE batch = ${last};
    DELETE FROM audit_checkpoints WHERE phase = 'after';
    DELETE FROM iterations WHERE phase = 'after';
    UPDATE runs SET report = json_set(report, '$.after', NULL)`);
}
