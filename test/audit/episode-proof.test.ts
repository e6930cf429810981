import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type EpisodeProof, type ProvenRecord, proveEpisode } from "../../src/audit/episode-proof.ts";
import { verifyProof } from "../../src/audit/verify-proof.ts";
import { FaradayError, InputError } from "../../src/core/errors.ts";
import { sampleLog, signer, stranger } from "./sample-log.ts";
import { originOf, rechain, resign } from "./tamper.ts";

const sample = sampleLog();
const episode = "train-2-1-0";
const key = { publicKey: signer.publicKey };
const proof = proveEpisode(episode, { ...sample, checkpoint: sample.checkpoints[2] as string });

describe("a proof of an episode", () => {
  it("is checked with the public key alone, from its JSON", () => {
    expect(verifyProof(JSON.parse(JSON.stringify(proof)), key)).toEqual({
      findings: [],
      run: "run-1",
      episode,
      checkpoint: sample.knownHead,
      attempts: [{ worker: 2, epoch: 0, steps: 2, violations: 1, outcome: "completed" }],
      complete: true,
    });
    expect(proof.records.map(({ leaf, worker }) => [leaf, worker])).toEqual(
      [38, 39, 40, 41, 42, 43].map((leaf) => [leaf, 2]),
    );
  });

  it("can be under any checkpoint that covers it, and under no earlier one", () => {
    const early = proveEpisode(episode, { ...sample, checkpoint: sample.checkpoints[1] as string });
    expect(verifyProof(early, key)).toMatchObject({ findings: [], checkpoint: { size: 53 } });
    expect(() => proveEpisode(episode, { ...sample, checkpoint: sample.checkpoints[0] as string })).toThrow(InputError);
  });

  it("has what the main process recorded too", () => {
    const killed = proveEpisode("train-2-0-9", { ...sample, checkpoint: sample.checkpoints[2] as string });
    expect(verifyProof(killed, key)).toMatchObject({ findings: [], attempts: [], complete: false });
    expect(killed.records[0]?.record).toContain('"SIGKILL"');
  });

  it("of an unfinished episode says that it is unfinished", () => {
    const cut = resign(
      rechain(sample, ([records]) => records?.splice(3, 3)),
      signer,
      originOf(sample),
    );
    const unfinished = proveEpisode("train-1-0-0", { ...cut, checkpoint: cut.checkpoints[2] as string });
    expect(verifyProof(unfinished, key)).toMatchObject({
      findings: [],
      complete: false,
      attempts: [{ outcome: null, steps: 1 }],
    });
  });

  it("is not made of a log that is not the signed one, nor of an episode that is not there", () => {
    const log = { ...sample, checkpoint: sample.checkpoints[2] as string };
    expect(() => proveEpisode("train-9-9-9", log)).toThrow(/has no records of an episode train-9-9-9/);
    expect(() => proveEpisode(episode, { ...log, segments: log.segments.slice(1) })).toThrow(FaradayError);
    expect(() => proveEpisode(episode, { ...log, segments: log.segments.toReversed() })).toThrow(/verify the log/);
    expect(() => proveEpisode(episode, { ...log, checkpoint: "hello" })).toThrow(FaradayError);
  });
});

describe("a proof does not hold", () => {
  const records = (edit: (records: readonly ProvenRecord[]) => readonly ProvenRecord[]) => ({
    ...proof,
    records: edit(proof.records),
  });
  const [one, two] = [proof.records[1] as ProvenRecord, proof.records[2] as ProvenRecord];
  const other = proveEpisode("train-2-1-1", { ...sample, checkpoint: proof.checkpoint });

  it.each<[string, unknown]>([
    [
      "with text in a record changed",
      records((all) => all.with(3, { ...all[3], record: all[3]?.record.replace("DELETE", "SELECT") } as ProvenRecord)),
    ],
    ["with a record left out", records((all) => all.toSpliced(2, 1))],
    ["with a step left out", records((all) => all.toSpliced(1, 2))],
    ["without its start", records((all) => all.slice(1))],
    ["with a record twice", records((all) => all.toSpliced(2, 0, one))],
    ["with records swapped", records((all) => all.with(1, two).with(2, one))],
    ["with a leaf changed", records((all) => all.with(1, { ...one, leaf: one.leaf + 1 }))],
    ["with a worker changed", records((all) => all.with(1, { ...one, worker: 1 }))],
    ["with a path of another record", records((all) => all.with(1, { ...one, proof: two.proof }))],
    ["with a record of another episode", records((all) => [...all, ...other.records])],
    ["with another episode's name", { ...proof, episode: "train-2-1-1" }],
    ["for another run", { ...proof, run: "run-2" }],
    ["for a run with a name almost like it", { ...proof, run: "run}1" }],
    ["under another log's checkpoint", { ...proof, checkpoint: sampleLog({ workers: 3 }).checkpoints[2] }],
    ["under an earlier checkpoint", { ...proof, checkpoint: sample.checkpoints[1] }],
    [
      "under another key's signature",
      { ...proof, checkpoint: resign(sample, stranger, originOf(sample)).checkpoints[2] },
    ],
    ["without records", { ...proof, records: [] }],
    ["of another version", { ...proof, version: 2 }],
    ["with a field more", { ...proof, note: "trust me" }],
    ["that is text", "hello"],
    ["that is null", null],
  ])("%s", (_, document) => {
    expect(verifyProof(document, key).findings.length).toBeGreaterThan(0);
  });

  it("with the key of another log", () => {
    expect(verifyProof(proof, { ...key, origin: "faraday.invalid/other/0" }).findings.length).toBe(1);
    expect(verifyProof(proof, { publicKey: stranger.publicKey }).findings[0]?.message).toMatch(/unsigned/);
  });

  it("with any one character changed", () => {
    const text = JSON.stringify(proof);
    fc.assert(
      fc.property(
        fc.nat(text.length - 1),
        fc.constantFrom("0", "1", "a", "Z", " ", '"', "}"),
        (position, character) => {
          const changed = parse(text.slice(0, position) + character + text.slice(position + 1));
          if (changed === undefined || JSON.stringify(changed) === text) return;
          expect(verifyProof(changed, key).findings.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

function parse(text: string): EpisodeProof | undefined {
  try {
    return JSON.parse(text) as EpisodeProof;
  } catch {
    return undefined;
  }
}
