import { describe, expect, it } from "vitest";
import type { AuditFinding } from "../../src/audit/audit-finding.ts";
import type { LoggedSegment } from "../../src/audit/audit-log.ts";
import { verifyLog } from "../../src/audit/verify-log.ts";
import { packSegment, unpackSegment } from "../../src/store/sql/segment-codec.ts";
import { packed, unpacked } from "../../src/store/sql/zstd.ts";
import { type SampleLog, sampleLog } from "./sample-log.ts";
import { editLines, encode, linesOf, replace, swap, withSegment } from "./tamper.ts";

/**
 * Segments of the sample, three a batch: worker 1, worker 2, the main process. Workers record 12 lines a batch (two episodes), the main
 * process a batch record and an update; before the second one also a signal; the last batch has no update.
 */
const sample = sampleLog();

type Place = Partial<AuditFinding>;
const inFirst = { worker: 1, epoch: 0, segment: 0, phase: "train", iteration: 1 } as const;
const inSecond = { worker: 2, epoch: 0, segment: 4, phase: "train", iteration: 2 } as const;
const inOwn = { worker: 0, epoch: 0, segment: 5, phase: "train", iteration: 2 } as const;
const first = { episode: "train-1-0-0" };

/** What is done to the log, and the one finding that it must give. */
const faults: readonly (readonly [string, (log: SampleLog) => SampleLog, Place])[] = [
  [
    "text in a record is changed",
    replace(0, 3, "DELETE", "SELECT"),
    { code: "record-changed", ...inFirst, ...first, sequence: 3, leaf: 3 },
  ],
  ...[3, 10, 11].map((line): (typeof faults)[number] => [
    `record ${line} is changed within a packed column`,
    inColumn(0, line, '"episode":"train', '"episode":"trail'),
    { code: "record-changed", ...inFirst, sequence: line, leaf: line },
  ]),
  [
    "a number in a record is changed",
    replace(4, 11, '"cost":50', '"cost":00'),
    { code: "record-unreadable", ...inSecond, sequence: 23, leaf: 49 },
  ],
  [
    "a cost is changed",
    replace(4, 11, '"cost":50', '"cost":5'),
    { code: "record-changed", ...inSecond, sequence: 23, leaf: 49 },
  ],
  [
    "a violation is taken out of a record",
    replace(4, 4, /\[\{.*\}\]/, "[]"),
    { code: "record-changed", ...inSecond, sequence: 16, leaf: 42 },
  ],
  [
    "the first record ever is changed",
    replace(0, 0, "count", "cound"),
    { code: "record-changed", ...inFirst, ...first, sequence: 0, leaf: 0 },
  ],
  [
    "a link is changed",
    replace(0, 5, /"previous":"./, '"previous":"z'),
    { code: "record-changed", ...inFirst, ...first, sequence: 5, leaf: 5 },
  ],
  [
    "a sequence is changed",
    replace(0, 5, '"sequence":5', '"sequence":6'),
    { code: "record-changed", ...inFirst, sequence: 5, leaf: 5 },
  ],
  [
    "a worker's number is changed in a record",
    replace(0, 5, '"worker":1', '"worker":2'),
    { code: "record-place", ...inFirst, sequence: 5, leaf: 5 },
  ],
  [
    "an epoch is changed in a record",
    replace(0, 5, '"epoch":0', '"epoch":1'),
    { code: "record-place", ...inFirst, sequence: 5, leaf: 5 },
  ],
  ["a brace is changed", replace(0, 5, "{", "("), { code: "record-unreadable", ...inFirst, sequence: 5, leaf: 5 }],
  [
    "a line feed is changed",
    (log) => editLines(log, 0, (lines) => [...lines.slice(0, 5), `${lines[5]} ${lines[6]}`, ...lines.slice(7)]),
    { code: "record-unreadable", ...inFirst, sequence: 5, leaf: 5 },
  ],
  [
    "the last line feed is gone",
    (log) => withSegment(log, 0, { bytes: encode(linesOf(log.segments[0] as LoggedSegment)).slice(0, -1) }),
    { code: "segment-bytes", ...inFirst, sequence: 11, leaf: 11 },
  ],
  [
    "a record is deleted",
    (log) => editLines(log, 0, (lines) => lines.toSpliced(5, 1)),
    { code: "record-missing", ...inFirst, sequence: 5, leaf: 5 },
  ],
  [
    "some records are deleted",
    (log) => editLines(log, 0, (lines) => lines.toSpliced(5, 3)),
    { code: "record-missing", ...inFirst, sequence: 5, leaf: 5 },
  ],
  [
    "the first record is deleted",
    (log) => editLines(log, 4, (lines) => lines.slice(1)),
    { code: "record-missing", ...inSecond, sequence: 12, leaf: 38 },
  ],
  [
    "a segment is truncated by one record",
    (log) => editLines(log, 4, (lines) => lines.slice(0, -1)),
    { code: "record-missing", ...inSecond, sequence: 23, leaf: 49 },
  ],
  [
    "a segment is truncated",
    (log) => editLines(log, 4, (lines) => lines.slice(0, 5)),
    { code: "record-missing", ...inSecond, sequence: 17, leaf: 43 },
  ],
  [
    "a segment is emptied",
    (log) => editLines(log, 4, () => []),
    { code: "record-missing", ...inSecond, sequence: 12, leaf: 38 },
  ],
  [
    "two records are swapped",
    (log) => editLines(log, 0, swap(3, 4)),
    { code: "record-order", ...inFirst, sequence: 3, leaf: 3 },
  ],
  [
    "two records far from each other are swapped",
    (log) => editLines(log, 0, swap(1, 9)),
    { code: "record-order", ...inFirst, sequence: 1, leaf: 1 },
  ],
  [
    "a record is doubled",
    (log) => editLines(log, 0, (lines) => lines.toSpliced(4, 0, lines[3] as string)),
    { code: "record-duplicated", ...inFirst, sequence: 3 },
  ],
  [
    "a record is appended",
    (log) => editLines(log, 0, (lines) => [...lines, chained(lines)]),
    { code: "record-added", ...inFirst, sequence: 12, leaf: 12 },
  ],
  [
    "the batch record is changed",
    replace(5, 1, '"weights":1', '"weights":7'),
    { code: "record-changed", ...inOwn, sequence: 3, leaf: 51 },
  ],
  [
    "the hash of the weights is changed",
    replace(5, 2, '"weights":"cd', '"weights":"ce'),
    { code: "record-changed", ...inOwn, sequence: 4, leaf: 52 },
  ],
  [
    "a signal is changed",
    replace(5, 0, "SIGKILL", "SIGTERM"),
    { code: "record-changed", ...inOwn, sequence: 2, leaf: 50, episode: "train-2-0-9" },
  ],
  [
    "a segment is dropped",
    (log) => ({ ...log, segments: log.segments.toSpliced(4, 1) }),
    { code: "segment-missing", worker: 2, epoch: 0, sequence: 12, leaf: 38, iteration: 2 },
  ],
  [
    "the main process's segment is dropped",
    (log) => ({ ...log, segments: log.segments.toSpliced(5, 1) }),
    { code: "record-missing", worker: 0, sequence: 2 },
  ],
  [
    "the main process's last segment is dropped",
    (log) => ({ ...log, segments: log.segments.slice(0, -1) }),
    { code: "batch-missing", segment: 6, leaf: 53 },
  ],
  [
    "segments are in another order",
    (log) => ({ ...log, segments: swap(3, 4)(log.segments) }),
    { code: "segment-order", segment: 3, iteration: 2 },
  ],
  [
    "a segment is doubled",
    (log) => ({ ...log, segments: log.segments.toSpliced(4, 0, ...log.segments.slice(3, 4)) }),
    { code: "segment-duplicated", segment: 4, worker: 1, sequence: 12, iteration: 2 },
  ],
  [
    "a segment is added",
    (log) => ({ ...log, segments: log.segments.toSpliced(4, 0, foreign()) }),
    { code: "segment-unlisted", segment: 4, worker: 9, iteration: 2 },
  ],
  ...(["worker", "epoch", "first", "count", "leaf"] as const).map((column): (typeof faults)[number] => [
    `the column ${column} is changed`,
    (log) => withSegment(log, 4, { [column]: (log.segments[4]?.[column] as number) + 1 }),
    { code: "segment-column", ...inSecond, sequence: 12, leaf: 38 },
  ]),
  ...(["previous", "head"] as const).map((column): (typeof faults)[number] => [
    `the column ${column} is changed`,
    (log) => withSegment(log, 4, { [column]: "00".repeat(32) }),
    { code: "segment-column", ...inSecond, sequence: 12, leaf: 38 },
  ]),
  [
    "the main process's worker column is changed",
    (log) => withSegment(log, 5, { worker: 7 }),
    { code: "segment-column", ...inOwn, leaf: 50 },
  ],
];

describe("a changed log gives one finding, which says where", () => {
  it.each(faults)("when %s", (_, tamper, place) => {
    const { findings } = verifyLog(tamper(sample));
    expect(findings.map(({ message, ...rest }) => rest)).toMatchObject([place]);
  });
});

it("a line that is split is two that cannot be read, and nothing behind them is blamed", () => {
  const { findings } = verifyLog(replace(0, 5, ",", "\n")(sample));
  expect(findings.map(({ code, leaf }) => [code, leaf])).toEqual([
    ["record-unreadable", 5],
    ["record-unreadable", 6],
  ]);
});

it("faults in several places are all found", () => {
  const changed = replace(
    8,
    0,
    "train",
    "eval_",
  )(replace(4, 2, "allow", "allo_")(replace(0, 3, "DELETE", "SELECT")(sample)));
  const { findings } = verifyLog(editLines(changed, 6, (lines) => lines.toSpliced(4, 1)));
  expect(findings.map(({ code, segment }) => [code, segment])).toEqual([
    ["record-changed", 0],
    ["record-changed", 4],
    ["record-unreadable", 8],
    ["record-missing", 6],
  ]);
});

it("findings are counted beyond those that are listed", () => {
  const broken = sample.segments.map((segment) => ({ ...segment, bytes: encode(linesOf(segment).map(() => "x")) }));
  const { findings, findingCount } = verifyLog({ ...sample, segments: broken }, { findingsMax: 5 });
  expect(findings.length).toBe(5);
  expect(findingCount).toBeGreaterThan(70);
});

/** Unpacks a segment as a store keeps it, changes a line, and packs it again. */
function inColumn(index: number, line: number, from: string, to: string): (log: SampleLog) => SampleLog {
  return (log) => {
    const column = packSegment((log.segments[index] as LoggedSegment).bytes);
    const lines = Buffer.from(unpacked(column.subarray(1)))
      .toString()
      .split("\n");
    lines[line] = (lines[line] as string).replace(from, to);
    const changed = Buffer.concat([column.subarray(0, 1), packed(Buffer.from(lines.join("\n")))]);
    return withSegment(log, index, { bytes: unpackSegment(changed) });
  };
}

/** A record that would be the next one, as far as its own line says. */
function chained(lines: readonly string[]): string {
  const record = JSON.parse(lines.at(-1) as string);
  return JSON.stringify({ ...record, sequence: record.sequence + 1 });
}

function foreign(): SampleLog["segments"][number] {
  const [segment] = sampleLog().segments;
  if (segment === undefined) throw new Error("the sample has segments");
  const lines = linesOf(segment).map((line) => line.replace('"worker":1', '"worker":9'));
  return { ...segment, worker: 9, bytes: encode(lines) };
}
