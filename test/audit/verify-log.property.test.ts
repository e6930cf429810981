import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LoggedSegment } from "../../src/audit/audit-log.ts";
import { verifyLog } from "../../src/audit/verify-log.ts";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import { type SampleLog, sampleLog } from "./sample-log.ts";

const shapes = [
  sampleLog({ batches: 2, workers: 2, episodes: 1 }),
  sampleLog({ batches: 3, workers: 1, episodes: 2 }),
  sampleLog({ batches: 1, workers: 3, episodes: 1 }),
];
const log = fc.constantFrom(...shapes);
const runs = { numRuns: 1_000 };

/** A log and one of its segments that holds lines. */
const place = log.chain((of) => fc.tuple(fc.constant(of), fc.nat(of.segments.length - 1), fc.nat(), fc.nat()));

describe("no single change of a log goes unnoticed, and none makes verification throw", () => {
  it("a byte of a record changed", () => {
    fc.assert(
      fc.property(place, fc.integer({ min: 1, max: 255 }), ([of, segment, at], mask) => {
        expectFound(withBytes(of, segment, (bytes) => bytes.with(at % bytes.length, at8(bytes, at) ^ mask)));
      }),
      runs,
    );
  });

  it("a byte taken away, or put in", () => {
    fc.assert(
      fc.property(place, fc.option(fc.nat(255)), ([of, segment, at], added) => {
        expectFound(
          withBytes(of, segment, (bytes) => {
            const position = at % bytes.length;
            const middle = added === null ? [] : [added];
            return Uint8Array.of(
              ...bytes.subarray(0, position),
              ...middle,
              ...bytes.subarray(position + (added === null ? 1 : 0)),
            );
          }),
        );
      }),
      runs,
    );
  });

  it("lines deleted, doubled or swapped", () => {
    fc.assert(
      fc.property(place, fc.constantFrom("delete", "double", "swap", "move"), ([of, segment, one, two], how) => {
        const changed = withLines(of, segment, (lines) => {
          const [from, to] = [one % lines.length, two % lines.length];
          const line = lines[from] as string;
          if (how === "delete") return lines.toSpliced(from, 1 + (two % 4));
          if (how === "double") return lines.toSpliced(to, 0, line);
          if (how === "move") return lines.toSpliced(from, 1).toSpliced(to, 0, line);
          return lines.with(from, lines[to] as string).with(to, line);
        });
        if (!same(of, changed)) expectFound(changed);
      }),
      runs,
    );
  });

  it("segments deleted, doubled, swapped, or their columns changed", () => {
    const column = fc.constantFrom("worker", "epoch", "first", "count", "leaf", "previous", "head" as const);
    fc.assert(
      fc.property(place, fc.constantFrom("delete", "double", "swap", "column"), column, ([of, one, two], how, name) => {
        const { segments } = of;
        const other = two % segments.length;
        const segment = segments[one] as LoggedSegment;
        if (how === "swap" && one === other) return;
        const changed = {
          delete: () => segments.toSpliced(one, 1),
          double: () => segments.toSpliced(other, 0, segment),
          swap: () => segments.with(one, segments[other] as LoggedSegment).with(other, segment),
          column: () => {
            const value = segment[name];
            const changedValue = typeof value === "number" ? value + 1 + (two % 3) : value.replace(/./, "z");
            return segments.with(one, { ...segment, [name]: changedValue });
          },
        }[how]();
        expectFound({ ...of, segments: changed });
      }),
      runs,
    );
  });

  it("a checkpoint changed, deleted, or taken from another log", () => {
    fc.assert(
      fc.property(log, fc.nat(), fc.nat(), fc.constantFrom("change", "delete", "other"), (of, which, at, how) => {
        const { checkpoints } = of;
        const index = which % checkpoints.length;
        const note = checkpoints[index] as string;
        const position = at % note.length;
        const changed = {
          change: () =>
            checkpoints.with(
              index,
              `${note.slice(0, position)}${note[position] === "A" ? "B" : "A"}${note.slice(position + 1)}`,
            ),
          delete: () => checkpoints.toSpliced(index, 1),
          other: () => checkpoints.with(index, sampleLog({ batches: 1 }).checkpoints[0] as string),
        }[how]();
        expectFound({ ...of, checkpoints: changed });
      }),
      { numRuns: 500 },
    );
  });

  it("several changes at once", () => {
    const change = fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(log, fc.array(change, { minLength: 2, maxLength: 12 }), (of, changes) => {
        const changed = changes.reduce<SampleLog>(
          (so, [segment, at, mask]) =>
            withBytes(so, segment % so.segments.length, (bytes) =>
              bytes.with(at % bytes.length, at8(bytes, at) ^ mask),
            ),
          of,
        );
        if (!same(of, changed)) expectFound(changed);
      }),
      { numRuns: 500 },
    );
  });

  it("any bytes whatever in the place of a segment", () => {
    fc.assert(
      fc.property(place, fc.uint8Array({ maxLength: 300 }), ([of, segment], bytes) => {
        expectFound(withBytes(of, segment, () => Uint8Array.from(bytes)));
      }),
      { numRuns: 500 },
    );
  });

  it("any JSON whatever in the place of a record", () => {
    fc.assert(
      fc.property(place, fc.json(), ([of, segment, at], json) => {
        expectFound(withLines(of, segment, (lines) => lines.with(at % lines.length, json)));
      }),
      { numRuns: 500 },
    );
  });
});

it("a record of more calls than anyone makes is found, not fallen over", () => {
  const [first] = shapes;
  const changed = withLines(first as SampleLog, 0, (lines) => {
    const index = lines.findIndex((line) => line.includes('"kind":"intent"'));
    const intent = JSON.parse(lines[index] as string);
    return lines.with(index, canonicalJson({ ...intent, kind: "calls", args: new Array(300_000).fill(0) }));
  });
  expectFound(changed);
});

it("an untouched log of any shape has no findings", () => {
  const size = (max: number) => fc.integer({ min: 1, max });
  fc.assert(
    fc.property(size(5), size(4), size(4), (batches, workers, episodes) => {
      expect(verifyLog(sampleLog({ batches, workers, episodes })).findings).toEqual([]);
    }),
    { numRuns: 30 },
  );
});

function expectFound(changed: SampleLog): void {
  expect(verifyLog(changed).findingCount).toBeGreaterThan(0);
}

function withBytes(of: SampleLog, index: number, edit: (bytes: Uint8Array) => Uint8Array): SampleLog {
  const segment = of.segments[index] as LoggedSegment;
  return { ...of, segments: of.segments.with(index, { ...segment, bytes: edit(segment.bytes) }) };
}

function withLines(of: SampleLog, index: number, edit: (lines: string[]) => readonly string[]): SampleLog {
  return withBytes(of, index, (bytes) => {
    const lines = new TextDecoder().decode(bytes).split("\n").slice(0, -1);
    return new TextEncoder().encode(
      edit(lines)
        .map((line) => `${line}\n`)
        .join(""),
    );
  });
}

function at8(bytes: Uint8Array, at: number): number {
  return bytes[at % bytes.length] as number;
}

function same(one: SampleLog, two: SampleLog): boolean {
  return one.segments.every(
    ({ bytes }, index) => Buffer.compare(bytes, two.segments[index]?.bytes ?? new Uint8Array()) === 0,
  );
}
