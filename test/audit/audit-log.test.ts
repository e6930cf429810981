import { describe, expect, it } from "vitest";
import { AuditLog, type LoggedSegment } from "../../src/audit/audit-log.ts";
import { openCheckpoint, type Signer } from "../../src/audit/checkpoint.ts";
import { MerkleTree } from "../../src/audit/merkle-tree.ts";
import { verifyLog } from "../../src/audit/verify-log.ts";
import { type AuditRecord, type AuditSegment, recordHash } from "../../src/core/audit.ts";
import { FaradayError } from "../../src/core/errors.ts";
import { FlightRecorder } from "../../src/kernel/flight-recorder.ts";
import { key, policies, recordEpisode, sampleLog, signer, stranger } from "./sample-log.ts";
import { linesOf } from "./tamper.ts";

const options = { run: "run-1", signer, policies };
const figures = { phase: "train", iteration: 1, weights: 0, episodes: 1, digest: "00".repeat(32) } as const;

describe("an audit log", () => {
  it("puts segments in the tree by worker, epoch and sequence, its own last, under a signed root", () => {
    const log = AuditLog.begin(options);
    const [one, two] = [new FlightRecorder({ worker: 1, epoch: 0 }), new FlightRecorder({ worker: 2, epoch: 0 })];
    const [early, other, late] = [recorded(one, 0), recorded(two, 1), recorded(one, 2)];
    const { segments, checkpoint } = log.append({
      ...figures,
      segments: [late, other, early],
      update: "cd".repeat(32),
    });
    expect(segments.map(({ worker, first, count, leaf }) => [worker, first, count, leaf])).toEqual([
      [1, 0, 6, 0],
      [1, 6, 6, 6],
      [2, 0, 6, 12],
      [0, 0, 2, 18],
    ]);
    const leaves = segments.flatMap((segment) => linesOf(segment).map(recordHash));
    expect(checkpoint).toMatchObject({ origin: log.origin, size: 20, root: new MerkleTree(leaves).root() });
    expect(openCheckpoint(checkpoint.note, signer.publicKey)).toMatchObject({ status: "signed", checkpoint });
  });

  it("records what became of a batch: its figures, the segments it merged, the weights it led to", () => {
    const log = AuditLog.begin(options);
    const segment = recorded(new FlightRecorder({ worker: 1, epoch: 0 }), 0);
    log.signal("train-1-0-9", 3, "SIGKILL");
    const { segments } = log.append({ ...figures, segments: [segment], update: "cd".repeat(32) });
    const [signal, batch, update] = recordsOf(segments.at(-1));
    const { bytes: _, ...sealed } = segment;
    expect(signal).toMatchObject({
      kind: "signal",
      episode: "train-1-0-9",
      step: 3,
      signal: "SIGKILL",
      worker: 0,
      sequence: 0,
      policies,
    });
    expect(batch).toMatchObject({ kind: "batch", ...figures, segments: [sealed], sequence: 1 });
    expect(update).toMatchObject({ kind: "update", iteration: 1, weights: "cd".repeat(32), sequence: 2 });
  });

  it("is as it was until the last step of a large batch, and then as if it had been appended at once", () => {
    const recorder = new FlightRecorder({ worker: 1, epoch: 0 });
    for (let index = 0; index < 1_000; index++) recordEpisode(recorder, key(1, 0, index));
    const segment = recorder.seal();
    const log = AuditLog.begin(options);
    const before = log.checkpoint;
    const steps = log.appending({ ...figures, segments: [segment] });
    let count = 1;
    let step = steps.next();
    for (; !step.done; step = steps.next(), count++) expect(log.checkpoint).toEqual(before);
    expect(count).toBe(Math.ceil(segment.count / 2_000));
    const leaves = step.value.segments.flatMap((each) => linesOf(each).map(recordHash));
    expect(log.checkpoint).toMatchObject({ size: segment.count + 1, root: new MerkleTree(leaves).root() });
  });

  it("refuses to end the steps of a batch that another was appended beside", () => {
    const recorder = new FlightRecorder({ worker: 1, epoch: 0 });
    for (let index = 0; index < 1_000; index++) recordEpisode(recorder, key(1, 0, index));
    const log = AuditLog.begin(options);
    const steps = log.appending({ ...figures, segments: [recorder.seal()] });
    steps.next();
    const { checkpoint } = log.append({
      ...figures,
      segments: [recorded(new FlightRecorder({ worker: 2, epoch: 0 }), 0)],
    });
    expect(() => [...steps]).toThrow("another batch was appended meanwhile");
    expect(log.checkpoint).toEqual(checkpoint);
  });

  it("is of its own: no two have the same origin, whatever the run is called", () => {
    const origins = ["a", "a", "ä b+c\n/d", ""].map((run) => AuditLog.begin({ ...options, run }).origin);
    expect(new Set(origins).size).toBe(4);
    for (const origin of origins) expect(origin).toMatch(/^faraday\.invalid\/[A-Za-z0-9._~%-]+\/[0-9a-f]{16}$/);
  });

  it("begins with a signed empty tree, and leaves out segments without records", () => {
    const log = AuditLog.begin(options);
    expect(log.checkpoint).toMatchObject({ size: 0 });
    const { segments } = log.append({ ...figures, segments: [new FlightRecorder({ worker: 1, epoch: 0 }).seal()] });
    expect(segments.map(({ worker }) => worker)).toEqual([0]);
  });

  it.each([
    ["a record is missing", (segment: AuditSegment) => ({ ...segment, first: 1 })],
    ["another record is said to be before it", (segment: AuditSegment) => ({ ...segment, previous: "11".repeat(32) })],
    ["it holds fewer records than it says", (segment: AuditSegment) => ({ ...segment, count: 7 })],
    ["its bytes were changed", (segment: AuditSegment) => ({ ...segment, bytes: segment.bytes.with(40, 65) })],
    ["its last line is cut", (segment: AuditSegment) => ({ ...segment, bytes: segment.bytes.slice(0, -1) })],
    ["it claims to be the main process's", (segment: AuditSegment) => ({ ...segment, worker: 0 })],
  ])("does not take a segment when %s, and stays as it was", (_, change) => {
    const log = AuditLog.begin(options);
    const [good, bad] = [1, 2].map((worker) => recorded(new FlightRecorder({ worker, epoch: 0 }), 0));
    const { checkpoint } = log;
    const appending = () => log.append({ ...figures, segments: [good as AuditSegment, change(bad as AuditSegment)] });
    expect(appending).toThrow(FaradayError);
    expect(log.checkpoint).toBe(checkpoint);
    const { segments } = log.append({ ...figures, segments: [good as AuditSegment, bad as AuditSegment] });
    expect(segments.map(({ leaf }) => leaf)).toEqual([0, 6, 12]);
  });

  it("goes on where it was stored: same origin, new recorders, one tree", async () => {
    const stored = sampleLog();
    const log = await AuditLog.resume(options, {
      segments: stored.segments,
      checkpoint: stored.checkpoints[2] as string,
      epoch: 1,
    });
    expect(log.checkpoint).toMatchObject({ origin: log.origin, size: 78 });
    const segment = recorded(new FlightRecorder({ worker: 1, epoch: 1 }), 7);
    const { segments, checkpoint } = log.append({ ...figures, iteration: 4, segments: [segment] });
    const whole = {
      ...stored,
      segments: [...stored.segments, ...segments],
      checkpoints: [...stored.checkpoints, checkpoint.note],
    };
    expect(verifyLog(whole)).toMatchObject({ findings: [], origin: log.origin, size: 85 });
  });

  it.each<[string, { checkpoint?: number; segments?: number; signer?: Signer; run?: string }]>([
    ["the checkpoint is an older one", { checkpoint: 1 }],
    ["a segment is missing", { segments: 8 }],
    ["another key signed it", { signer: stranger }],
    ["it is another run's", { run: "run-2" }],
  ])("does not go on when %s", async (_, { checkpoint = 2, segments = 9, ...other }) => {
    const stored = sampleLog();
    const from = {
      segments: stored.segments.slice(0, segments),
      checkpoint: stored.checkpoints[checkpoint] as string,
      epoch: 1,
    };
    await expect(AuditLog.resume({ ...options, ...other }, from)).rejects.toThrow(/is not the one that was signed/);
  });
});

function recorded(recorder: FlightRecorder, index: number): AuditSegment {
  recordEpisode(recorder, key(1, 0, index));
  return recorder.seal();
}

function recordsOf(segment: LoggedSegment | undefined): readonly AuditRecord[] {
  return segment === undefined ? [] : linesOf(segment).map((line) => JSON.parse(line) as AuditRecord);
}
