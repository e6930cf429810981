import { expect, test } from "vitest";
import type { AuditSegment } from "../../src/core/audit.ts";
import { RecordChain } from "../../src/core/record-chain.ts";
import type { FaultKind, WorkerFault } from "../../src/pool/worker-fault.ts";
import { RecorderChains } from "../../src/run/recorder-chains.ts";

/** Segments of one recorder, each with so many records. */
function segments(worker: number, ...counts: readonly number[]): AuditSegment[] {
  const chain = new RecordChain({ worker, epoch: 0 });
  return counts.map((count) => {
    for (let index = 0; index < count; index++) chain.append(JSON.stringify({ previous: chain.previous }));
    return chain.seal();
  });
}

/** What becomes of answers of threads, in the order that they come. */
function followed(...answers: readonly (readonly [thread: number, audit: unknown])[]): (FaultKind | "kept")[] {
  const chains = new RecorderChains();
  return answers.map(([thread, audit]) => {
    try {
      chains.follow(thread, audit);
      return "kept";
    } catch (error) {
      return (error as WorkerFault).kind;
    }
  });
}

test("segments that follow on are kept, of each thread by itself, and those without records among them", () => {
  const [one, other] = [segments(1, 3, 0, 2), segments(2, 0, 1, 4)];
  const answers = one.flatMap((segment, index) => [[7, segment] as const, [8, other[index]] as const]);
  expect(followed(...answers)).toEqual(answers.map(() => "kept"));
});

test("once records of a thread are lost, what it records after them is nobody's fault and is not kept", () => {
  const [first, , third, fourth] = segments(1, 2, 2, 1, 1);
  const [innocent] = segments(2, 1);
  for (const lost of [undefined, null, {}, { ...first, bytes: undefined }, { ...first, first: Number.NaN }]) {
    expect(followed([7, first], [7, lost], [7, third], [8, innocent], [7, fourth])).toEqual([
      ...["kept", "corrupt", "ended", "kept", "ended"],
    ]);
  }
});

test("a segment that leaves a gap, comes twice, or is of another recorder than the thread's is not kept", () => {
  const [first, , third] = segments(1, 2, 2, 1);
  const [, ofOther] = segments(2, 2, 1);
  expect(followed([7, first], [7, third])).toEqual(["kept", "corrupt"]);
  expect(followed([7, first], [7, first])).toEqual(["kept", "corrupt"]);
  expect(followed([7, first], [7, ofOther])).toEqual(["kept", "corrupt"]);
  expect(followed([7, third])).toEqual(["corrupt"]);
  expect(followed([7, segments(0, 1)[0]])).toEqual(["corrupt"]);
});

test("of a thread in which a task failed, whole records are kept, and a gap is put down to nobody", () => {
  const [first, , third] = segments(1, 2, 2, 1);
  const chains = new RecorderChains();
  chains.doubt(7);
  chains.follow(7, first);
  expect(() => chains.follow(7, third)).toThrow(
    "its records are lost: those that came begin with record 4 of worker 1, and record 2 of worker 1 was to come",
  );
  expect(() => chains.follow(7, third)).toThrow(expect.objectContaining({ kind: "ended" }));
});
