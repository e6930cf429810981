import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadAuditPublicKey, publicPem } from "../../src/audit/audit-key.ts";
import { proveEpisode } from "../../src/audit/episode-proof.ts";
import { KnownHeads } from "../../src/audit/known-heads.ts";
import { formatVkey } from "../../src/audit/note-key.ts";
import { verifyLog } from "../../src/audit/verify-log.ts";
import { verifyProof } from "../../src/audit/verify-proof.ts";
import { packSegment, unpackSegment } from "../../src/store/sql/segment-codec.ts";
import { sampleLog, signer } from "../audit/sample-log.ts";
import { faraday } from "../commands/run-cli.ts";
import { expectClearText, fuzz, fuzzTimeout, scratchFolder } from "./fuzz.ts";
import { mutantBytes, mutantJson, mutantText, mutantValue } from "./mutants.ts";

const log = sampleLog({ batches: 1, workers: 1, episodes: 1 });
const checkpoint = log.checkpoints.at(-1) ?? "";
const proof = proveEpisode("train-1-0-0", { run: log.run, segments: log.segments, checkpoint });
const key = { publicKey: signer.publicKey };
const folder = scratchFolder();

describe("a proof that is not what it was", fuzzTimeout, () => {
  it("in any of its values proves nothing, or the same", async () => {
    const records = proof.records.map(({ record }) => record);
    await fuzz(mutantValue(proof), (document) => {
      const { findings, attempts } = verifyProof(document, key);
      for (const { message } of findings) expectClearText(message);
      if (findings.length === 0) expect(records.length).toBeGreaterThanOrEqual(attempts.length);
    });
  });

  it("in its records and its note", () =>
    fuzz(
      fc.tuple(
        fc.nat(proof.records.length - 1),
        mutantText(...proof.records.map(({ record }) => record)),
        mutantText(checkpoint),
        fc.boolean(),
      ),
      ([at, record, note, inNote]) => {
        const changed = proof.records.map((each, index) => (index === at && !inNote ? { ...each, record } : each));
        for (const { message } of verifyProof(
          { ...proof, records: changed, checkpoint: inNote ? note : checkpoint },
          key,
        ).findings)
          expectClearText(message);
      },
    ));

  it("as a file that is named to audit verify", async () => {
    const [proofFile, keyFile] = [join(folder, "proof.json"), join(folder, "key.pem")];
    writeFileSync(keyFile, publicPem(signer.publicKey));
    await fuzz(
      fc.oneof(mutantJson(proof), mutantText(JSON.stringify(proof))),
      async (text) => {
        writeFileSync(proofFile, text);
        const { exitCode, stdout, stderr } = await faraday(["audit", "verify", "--proof", proofFile, "--key", keyFile]);
        expect([0, 1, 2]).toContain(exitCode);
        expectClearText(stdout + stderr);
      },
      { part: 0.1 },
    );
  });
});

describe("a key that is not what it was", fuzzTimeout, () => {
  it("as PEM or as a verifier key", async () => {
    const file = join(folder, "audit.pem");
    const texts = [
      publicPem(signer.publicKey),
      formatVkey("example.org/log", signer.publicKey),
      String(signer.privateKey.export({ type: "pkcs8", format: "pem" })),
    ];
    await fuzz(mutantText(...texts), (text) => {
      writeFileSync(file, text);
      loadAuditPublicKey(file);
    });
  });
});

describe("what is stored of a log, and not what it was", fuzzTimeout, () => {
  it("in the bytes of its segments, packed and plain", () => {
    const packed = log.segments.map(({ bytes }) => packSegment(bytes));
    const cases = fc.tuple(
      fc.nat(log.segments.length - 1),
      fc.oneof(mutantBytes(...packed), mutantBytes(...log.segments.map(({ bytes }) => bytes))),
    );
    return fuzz(cases, ([at, column]) => {
      const segments = log.segments.map((segment, index) =>
        index === at ? { ...segment, bytes: unpackSegment(column) } : segment,
      );
      for (const { message } of verifyLog({ ...log, segments }).findings) expectClearText(message);
    });
  });

  it("in its notes", () =>
    fuzz(mutantText(checkpoint), (note) => {
      for (const { message } of verifyLog({ ...log, checkpoints: [note] }).findings) expectClearText(message);
    }));

  it("in the head that is known of it", async () => {
    const heads = new KnownHeads({ folder: join(folder, "heads") });
    const head = { place: "/store.db", run: "run-1", origin: "example.org/log", size: 7, root: "ab".repeat(32) };
    heads.begin(head);
    const path = heads.path(head);
    const whole = JSON.parse(readFileSync(path, "utf8"));
    await fuzz(fc.oneof(mutantJson(whole), mutantText(JSON.stringify(whole))), (text) => {
      writeFileSync(path, text);
      heads.get(head);
    });
  });
});
