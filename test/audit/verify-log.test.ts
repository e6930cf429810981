import { describe, expect, it } from "vitest";
import type { AuditFinding } from "../../src/audit/audit-finding.ts";
import { parseAuditPublicKey } from "../../src/audit/audit-key.ts";
import { AuditLog } from "../../src/audit/audit-log.ts";
import { signCheckpoint } from "../../src/audit/checkpoint.ts";
import { formatVkey } from "../../src/audit/note-key.ts";
import { type RecordedBatch, verifyLog } from "../../src/audit/verify-log.ts";
import { FlightRecorder } from "../../src/kernel/flight-recorder.ts";
import { key, policies, type SampleLog, sampleLog, signer, stranger } from "./sample-log.ts";
import { originOf, rechain, resign, swap } from "./tamper.ts";

/**
 * Segments of the sample, three a batch: worker 1, worker 2, the main process. Workers record 12 lines a batch (two episodes), the main
 * process a batch record and an update; before the second one also a signal; the last batch has no update.
 */
const sample = sampleLog();
const origin = originOf(sample);

describe("an untouched log", () => {
  it("has no findings, and its figures", () => {
    expect(verifyLog(sample)).toMatchObject({
      findings: [],
      findingCount: 0,
      origin,
      segments: 9,
      records: 78,
      checkpoints: 3,
      attempts: 12,
      size: 78,
      root: sample.knownHead?.root,
      head: { size: 78, root: sample.knownHead?.root },
      updates: [
        { iteration: 1, weights: "cd".repeat(32), size: 26 },
        { iteration: 2, weights: "cd".repeat(32), size: 53 },
      ],
    });
    const { batches } = verifyLog(sample);
    expect(batches[1]).toEqual({
      phase: "train",
      iteration: 2,
      weights: 1,
      episodes: 4,
      digest: "2".repeat(64),
      size: 53,
    });
  });

  it("has none of any shape: no workers' segments, many workers, nothing at all, a head of an earlier time", () => {
    for (const shape of [
      { workers: 0 },
      { workers: 5, batches: 7, episodes: 1 },
      { batches: 1 },
      { run: "Ärger + x/y z" },
    ]) {
      expect(verifyLog(sampleLog(shape)).findings).toEqual([]);
    }
    expect(verifyLog({ ...sample, segments: [], checkpoints: [], knownHead: null }).findings).toEqual([]);
    expect(verifyLog({ ...sample, knownHead: null }).findings).toEqual([]);
    const early = sampleLog();
    const [, size, root = ""] = (early.checkpoints[0] as string).split("\n");
    const head = { origin: originOf(early), size: Number(size), root: Buffer.from(root, "base64").toString("hex") };
    expect(verifyLog({ ...early, knownHead: head }).findings).toEqual([]);
  });

  it("has none where episodes interleave, syscalls were held, a worker was lost in the middle or an episode began again", () => {
    const log = AuditLog.begin({ run: "run-1", signer, policies });
    const [one, two] = [new FlightRecorder({ worker: 1, epoch: 0 }), new FlightRecorder({ worker: 2, epoch: 0 })];
    const held = one.start(key(1, 0, 0), policies);
    const lost = two.start(key(1, 0, 1), policies);
    const other = one.start(key(1, 0, 2), policies);
    const syscall = { syscall: "sql.query", args: { sql: "SELECT 1" } };
    const done = { verdict: "allow", violations: [], outcome: "completed" } as const;
    held.signal(0, "SIGSTOP");
    for (const step of [0, 1]) held.intent(step, syscall);
    other.intent(0, syscall);
    held.signal(2, "SIGCONT");
    for (const step of [0, 1]) held.outcome(step, done);
    lost.intent(0, syscall);
    other.outcome(0, done);
    held.end({ outcome: "completed", reward: 1, cost: 0 });
    one.start(key(1, 0, 2), policies).end({ outcome: "failed", reward: 0, cost: 0 });
    log.signal(key(1, 0, 1).id, 1, "SIGKILL");
    const batch = { phase: "train", iteration: 1, weights: 0, episodes: 3, digest: "00".repeat(32) } as const;
    const { segments, checkpoint } = log.append({ ...batch, segments: [one.seal(), two.seal()] });
    const ends: unknown[] = [];
    const { findings } = verifyLog(
      { run: "run-1", segments, checkpoints: [checkpoint.note], key: signer, knownHead: log.checkpoint },
      { onAttempt: ({ start, end, syscalls }) => ends.push([start.episode, syscalls.length, end?.outcome]) },
    );
    expect(findings).toEqual([]);
    expect(ends).toEqual([
      ["train-1-0-0", 2, "completed"],
      ["train-1-0-2", 1, undefined],
      ["train-1-0-2", 0, "failed"],
      ["train-1-0-1", 1, undefined],
    ]);
  });

  it("hands over every attempt and every signal of the main process, with its batch", () => {
    const attempts: (readonly [string, number | undefined])[] = [];
    const signals: unknown[] = [];
    const push = (episode: string, batch: RecordedBatch | null) => attempts.push([episode, batch?.iteration]);
    verifyLog(sample, {
      onAttempt: ({ start, end }, batch) => end && push(start.episode, batch),
      onSignal: ({ episode, signal, step }, batch) => signals.push([episode, signal, step, batch?.iteration]),
    });
    const expected = [1, 2, 3].flatMap((iteration) =>
      [0, 1].flatMap((group) => [0, 1].map((index) => [key(iteration, group, index).id, iteration])),
    );
    expect(attempts).toEqual(expected);
    expect(signals).toEqual([["train-2-0-9", "SIGKILL", 1, 2]]);
  });
});

type Place = Partial<AuditFinding>;

/** What is done to the checkpoints, or to everything at once, and the one finding that it must give. */
const faults: readonly (readonly [string, (log: SampleLog) => SampleLog, Place])[] = [
  [
    "all of a batch is dropped at the end",
    (log) => ({ ...log, segments: log.segments.slice(0, -3) }),
    { code: "checkpoint-beyond", checkpoint: 2, leaf: 53 },
  ],
  [
    "an older copy is put back",
    (log) => ({ ...log, segments: log.segments.slice(0, -3), checkpoints: log.checkpoints.slice(0, -1) }),
    { code: "rolled-back", leaf: 53 },
  ],
  ["everything is deleted", (log) => ({ ...log, segments: [], checkpoints: [] }), { code: "rolled-back", leaf: 0 }],
  [
    "the last checkpoint is deleted",
    (log) => ({ ...log, checkpoints: log.checkpoints.slice(0, -1) }),
    { code: "tail-unsigned", leaf: 53, iteration: 3 },
  ],
  [
    "a checkpoint is deleted",
    (log) => ({ ...log, checkpoints: log.checkpoints.toSpliced(1, 1) }),
    { code: "checkpoint-missing", leaf: 53, iteration: 2 },
  ],
  [
    "checkpoints are swapped",
    (log) => ({ ...log, checkpoints: swap(0, 1)(log.checkpoints) }),
    { code: "checkpoint-order", checkpoint: 1 },
  ],
  [
    "a checkpoint's size is changed",
    (log) => ({
      ...log,
      checkpoints: log.checkpoints.with(1, (log.checkpoints[1] as string).replace("\n53\n", "\n52\n")),
    }),
    { code: "checkpoint-signature", checkpoint: 1 },
  ],
  [
    "a checkpoint is changed into none",
    (log) => ({ ...log, checkpoints: log.checkpoints.with(1, "hello") }),
    { code: "checkpoint-malformed", checkpoint: 1 },
  ],
  [
    "a checkpoint of another log takes the place of one",
    (log) => ({ ...log, checkpoints: log.checkpoints.with(1, sampleLog().checkpoints[1] as string) }),
    { code: "checkpoint-origin", checkpoint: 1 },
  ],
  ["all is signed by another key", (log) => resign(log, stranger, origin), { code: "checkpoint-key", checkpoint: 0 }],
  [
    "a record is changed and all made to fit",
    (log) => rechain(log, ([, , , , records]) => Object.assign(records?.[2] ?? {}, { outcome: "failed" })),
    { code: "checkpoint-root", checkpoint: 1, leaf: 26, iteration: 2 },
  ],
  [
    "records are deleted and all made to fit",
    (log) => rechain(log, ([, , , , records]) => records?.splice(6)),
    { code: "checkpoint-root", checkpoint: 1, leaf: 26, iteration: 2 },
  ],
  [
    "a worker is dropped and all made to fit",
    (log) => rechain({ ...log, segments: log.segments.filter(({ worker }) => worker !== 2) }, () => {}),
    { code: "checkpoint-root", checkpoint: 0, leaf: 0 },
  ],
  [
    "another run's log is put in its place",
    () => ({ ...sampleLog({ run: "run-2" }), run: "run-1" }),
    { code: "checkpoint-origin", checkpoint: 0 },
  ],
  [
    "another log of the same run is put in its place",
    (log) => ({ ...sampleLog(), knownHead: log.knownHead }),
    { code: "head-origin" },
  ],
];

describe("a changed log gives one finding, which says where", () => {
  it.each(faults)("when %s", (_, tamper, place) => {
    const { findings } = verifyLog(tamper(sample));
    expect(findings.map(({ message, ...rest }) => rest)).toMatchObject([place]);
  });
});

it("a changed log signed by another key differs from the known head too", () => {
  const forged = resign(
    rechain(sample, ([records]) => Object.assign(records?.[2] ?? {}, { outcome: "failed" })),
    stranger,
    origin,
  );
  expect(verifyLog(forged).findings).toMatchObject([{ code: "checkpoint-key" }, { code: "head-root" }]);
  const shortened = resign(
    rechain(sample, ([records]) => records?.splice(0, 6)),
    stranger,
    origin,
  );
  expect(verifyLog(shortened).findings).toMatchObject([{ code: "checkpoint-key" }, { code: "rolled-back" }]);
});

describe("even the owner of the key", () => {
  it("cannot rewrite what was seen: the known head has another root", () => {
    const rewritten = resign(
      rechain(sample, ([records]) => Object.assign(records?.[11] ?? {}, { cost: 0 })),
      signer,
      origin,
    );
    expect(verifyLog({ ...rewritten, knownHead: null }).findings).toEqual([]);
    expect(verifyLog(rewritten).findings).toMatchObject([{ code: "head-root" }]);
  });

  it("cannot sign a tree that the log never was", () => {
    const fork = signCheckpoint({ origin, size: 53, root: "ab".repeat(32) }, signer).note;
    const { findings } = verifyLog({ ...sample, checkpoints: sample.checkpoints.toSpliced(2, 0, fork) });
    expect(findings).toMatchObject([{ code: "checkpoint-root", checkpoint: 2, iteration: 2 }]);
  });

  it.each([
    [
      "an outcome without its intent",
      (records: Record<string, unknown>[]) => records.splice(1, 1),
      ["episode-order", "episode-counts"],
    ],
    [
      "an episode without its start",
      (records: Record<string, unknown>[]) => records.splice(0, 1),
      Array(5).fill("episode-order"),
    ],
    [
      "an end that counts fewer violations",
      (records: Record<string, unknown>[]) => Object.assign(records[5] ?? {}, { violations: 0 }),
      ["episode-counts"],
    ],
  ])("cannot hide %s", (_, edit, codes) => {
    const forged = resign(
      rechain(sample, ([records]) => void edit(records ?? [])),
      signer,
      origin,
    );
    const { findings } = verifyLog({ ...forged, knownHead: null });
    expect(findings.map(({ code }) => code)).toEqual(codes);
    expect(findings[0]).toMatchObject({ worker: 1, iteration: 1, episode: "train-1-0-0" });
  });
});

it("a verifier key checks the log that it names alone", () => {
  const of = (name: string) => parseAuditPublicKey(formatVkey(name, signer.publicKey), "test");
  expect(verifyLog({ ...sample, key: of(origin) }).findings).toEqual([]);
  expect(verifyLog({ ...sample, key: of("faraday.invalid/other/0") }).findings[0]).toMatchObject({
    code: "checkpoint-origin",
  });
});
