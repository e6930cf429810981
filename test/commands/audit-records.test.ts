import { generateKeyPairSync } from "node:crypto";
import { cpSync, rmSync } from "node:fs";
import { beforeAll, describe, it } from "vitest";
import {
  type AuditedRun,
  auditedRun,
  cutLastBatch,
  expectFound,
  type Finding,
  firstOf,
  flip,
  known,
  ownKey,
  type RunCopy,
  rechain,
  resign,
  rewrite,
  swapSegments,
} from "./audited-run.ts";

let run: AuditedRun;
beforeAll(async () => {
  run = await auditedRun();
}, 120_000);

describe("whoever changes records is found out, when they", () => {
  it.each<[string, (tampered: RunCopy) => void, Partial<Finding> & { code: string }, RegExp]>([
    [
      "flip a bit of a record",
      (tampered) => tampered.sql((database) => flip(database, "phase = 'train' AND worker > 0")),
      { code: "record-changed", phase: "train", iteration: 1 },
      /worker \d/,
    ],
    [
      "delete a segment",
      (tampered) => tampered.sql((database) => database.exec(`DELETE FROM audit_segments WHERE ${firstOf("before")}`)),
      { code: "segment-missing", phase: "before" },
      /worker \d.*is missing/,
    ],
    [
      "delete a record from within a segment",
      (tampered) => rewrite(tampered, firstOf("before"), (lines) => lines.toSpliced(3, 1)),
      { code: "record-missing", phase: "before" },
      /worker \d/,
    ],
    [
      "swap two records",
      (tampered) => rewrite(tampered, firstOf("before"), ([one = "", other = "", ...rest]) => [other, one, ...rest]),
      { code: "record-order", phase: "before" },
      /worker \d/,
    ],
    [
      "swap the bytes of two segments",
      (tampered) => tampered.sql(swapSegments),
      { code: "segment-order", phase: "train" },
      /./,
    ],
    [
      "leave a worker out altogether",
      (tampered) => tampered.sql((database) => database.exec(`DELETE FROM audit_segments WHERE worker = 1`)),
      { code: "segment-missing", worker: 1 },
      /worker 1.*is missing/,
    ],
    [
      "name other policies in all records of a batch, and chain them anew",
      (tampered) =>
        tampered.sql((database) =>
          rechain(database, (record) => (record.worker === 0 ? record : { ...record, policies: "0".repeat(64) })),
        ),
      { code: "checkpoint-root" },
      /at least one was changed/,
    ],
  ])("%s", async (_name, tamper, finding, message) => {
    const tampered = run.copy();
    tamper(tampered);
    await expectFound(tampered, finding, message);
  });

  it("chain everything anew from a changed record on, with every hash made to fit", async () => {
    const tampered = run.copy();
    tampered.sql((database) =>
      rechain(database, (record) => (record.kind === "end" ? { ...record, cost: 0 } : record)),
    );
    await expectFound(tampered, { code: "checkpoint-root" }, /at least one was changed/);
  });

  it("sign what they made with a key of their own", async () => {
    const tampered = run.copy();
    const key = generateKeyPairSync("ed25519");
    tampered.sql((database) => {
      rechain(database, (record) => (record.kind === "end" ? { ...record, cost: 0 } : record));
      resign(database, key);
    });
    await expectFound(tampered, { code: "checkpoint-key" }, /expected a signature by .* got /);
  });

  it("cut off the end with its checkpoint: the head that was seen before is larger", async () => {
    const tampered = known(run.copy());
    tampered.sql(cutLastBatch);
    tampered.json<object>("report.json", (report) => Object.assign(report, { after: null }));
    await expectFound(tampered, { code: "rolled-back" }, /ends at size \d+, it had \d+ when it was last seen/);
  });

  it("put back an older copy of the whole run", async () => {
    const place = known(run.copy());
    rmSync(place.file("faraday.db"));
    const older = run.copy();
    older.sql(cutLastBatch);
    older.sql((database) => database.exec("PRAGMA wal_checkpoint(TRUNCATE)"));
    cpSync(older.file("faraday.db"), place.file("faraday.db"));
    await expectFound(place, { code: "rolled-back" }, /put back to an older state/);
  });

  it("put another log in its place, signed by the same key", async () => {
    const tampered = known(run.copy());
    tampered.sql((database) => resign(database, ownKey(), `${run.origin.slice(0, -16)}${"0".repeat(16)}`));
    await expectFound(tampered, { code: "head-origin" }, /it was put in its place/);
  });
});

describe("whoever changes checkpoints is found out, when they", () => {
  it.each<[string, string, string, RegExp]>([
    [
      "delete one",
      "DELETE FROM audit_checkpoints WHERE phase = 'before'",
      "checkpoint-missing",
      /no checkpoint of size/,
    ],
    ["delete all", "DELETE FROM audit_checkpoints", "tail-unsigned", /from leaf 0 on/],
    [
      "delete the last",
      "DELETE FROM audit_checkpoints WHERE phase = 'after'",
      "tail-unsigned",
      /from leaf \d+ on: \d+ of \d+/,
    ],
    [
      "change what a row says of its note",
      "UPDATE audit_checkpoints SET root = replace(root, substr(root, 1, 1), 'f') WHERE phase = 'before'",
      "checkpoint-order",
      /its note or the log says another/,
    ],
    [
      "change a signature",
      "UPDATE audit_checkpoints SET note = substr(note, 1, length(note) - 20) || 'AAAAAAAAAAAAAAAAAAA' || char(10) WHERE phase = 'before'",
      "checkpoint-signature",
      /is not that key's for this text/,
    ],
  ])("%s", async (_name, sql, code, message) => {
    const tampered = run.copy();
    tampered.sql((database) => database.exec(sql));
    await expectFound(tampered, { code }, message);
  });
});
