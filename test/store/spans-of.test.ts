import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AuditSegment } from "../../src/core/audit.ts";
import { FlightRecorderAdapter } from "../../src/store/flight-recorder-adapter.ts";
import { spansOf } from "../../src/store/spans-of.ts";
import { Recorder } from "./recorder.ts";
import { deletion } from "./samples.ts";

const all = { emitViolations: true, unfinished: true };

function sealed(record: (recorder: Recorder) => void, worker = 1, epoch = 0): AuditSegment {
  const recorder = new Recorder(worker, epoch);
  record(recorder);
  return recorder.seal();
}

describe("spans of a flight recorder", () => {
  const segment = sealed((recorder) =>
    recorder.episode("train-0-0-0", [[], [deletion, { ...deletion, rule: "DROP" }]]),
  );
  const spans = spansOf("run-1", [segment], all);

  it("have valid OpenTelemetry ids, all in the trace of their episode and none twice", () => {
    for (const { traceId, spanId } of spans) {
      expect(traceId).toMatch(/^(?!0+$)[0-9a-f]{32}$/);
      expect(spanId).toMatch(/^(?!0+$)[0-9a-f]{16}$/);
    }
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
  });

  it("link each violation to its syscall and each syscall to its episode", () => {
    const [root, first, second, ...violations] = spans;
    expect(root).toMatchObject({ name: "invoke_agent", parentId: null, startSequence: 0, endSequence: 5 });
    expect([first?.parentId, second?.parentId]).toEqual([root?.spanId, root?.spanId]);
    expect(violations.map(({ parentId }) => parentId)).toEqual([second?.spanId, second?.spanId]);
  });

  it("say what happened, but not the arguments", () => {
    const [root, allowed, denied, violation] = spans;
    expect(root?.attributes).toMatchObject({
      "faraday.task": "count-users",
      "faraday.weights": 2,
      "faraday.reward": 1,
    });
    expect(allowed).toMatchObject({ status: "OK", attributes: { "gen_ai.tool.name": "sql.query" } });
    expect(denied).toMatchObject({ status: "ERROR", attributes: { "agent_os.verdict": "deny", "agent_os.step": 1 } });
    expect(violation?.attributes).toMatchObject({ "agent_os.rule": "DELETE", "agent_os.severity": "high" });
    expect(JSON.stringify(spans)).not.toContain("DELETE FROM");
  });

  it("have ids that do not depend on the worker, but do on run and episode", () => {
    const record = (recorder: Recorder) => recorder.episode("train-0-0-0", [[]]);
    const ids = (run: string, each: AuditSegment) => spansOf(run, [each], all).map(({ spanId }) => spanId);
    expect(ids("run-1", sealed(record, 2, 3))).toEqual(ids("run-1", sealed(record)));
    expect(ids("run-2", sealed(record))).not.toEqual(ids("run-1", sealed(record)));
    const other = sealed((recorder) => recorder.episode("train-0-0-1", [[]]));
    expect(ids("run-1", other)).not.toEqual(ids("run-1", sealed(record)));
  });

  it("do not depend on how the records were cut into segments, nor on their order", () => {
    const cuts = fc.array(fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 0, max: 3 }), fc.boolean()), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(cuts, (episodes) => {
        const whole = new Map([1, 2].map((worker) => [worker, new Recorder(worker)]));
        const cut = new Map([1, 2].map((worker) => [worker, new Recorder(worker)]));
        const segments: AuditSegment[] = [];
        for (const [index, [worker, steps, seals]] of episodes.entries()) {
          for (const recorders of [whole, cut]) {
            recorders.get(worker)?.episode(`train-0-0-${index}`, Array(steps).fill([deletion]));
          }
          const segment = seals ? cut.get(worker)?.seal() : undefined;
          if (segment !== undefined) segments.unshift(segment);
        }
        segments.unshift(...[...cut.values()].map((recorder) => recorder.seal()));
        const expected = [...whole.values()].map((recorder) => recorder.seal());
        expect(spansOf("run-1", segments, all)).toEqual(spansOf("run-1", expected, all));
      }),
      { numRuns: 50 },
    );
  });

  it("of episodes that one recorder interleaves are told apart", () => {
    const interleaved = sealed((recorder) => {
      for (const episode of ["a", "b"]) recorder.record({ kind: "start", episode, task: "t", seed: 1, weights: 0 });
      for (const episode of ["b", "a"])
        recorder.record({ kind: "intent", episode, step: 0, syscall: episode, args: {} });
      for (const episode of ["a", "b"]) {
        const end = { verdict: "allow", outcome: "completed", violations: [] } as const;
        recorder.record({ kind: "outcome", episode, step: 0, ...end });
        recorder.record({ kind: "end", episode, outcome: "completed", reward: 1, cost: 0, steps: 0, violations: 0 });
      }
    });
    const names = spansOf("run-1", [interleaved], all).map(({ episode, name }) => `${episode}: ${name}`);
    expect(names).toEqual(["a: invoke_agent", "a: execute_tool a", "b: invoke_agent", "b: execute_tool b"]);
  });
});

describe("an attempt that was cut off", () => {
  const broken = sealed((recorder) => {
    recorder.record({ kind: "start", episode: "train-0-0-0", task: "t", seed: 1, weights: 0 });
    recorder.record({ kind: "intent", episode: "train-0-0-0", step: 0, syscall: "sql.query", args: {} });
  });
  const retried = sealed((recorder) => recorder.episode("train-0-0-0", [[]]), 2);

  it("shows as an error beside the attempt that counts, in the same trace, without its ids", () => {
    const spans = spansOf("run-1", [broken, retried], all);
    expect(spans.map(({ status }) => status)).toEqual(["ERROR", "ERROR", "OK", "OK"]);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(4);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(spansOf("run-1", [retried], all)).toEqual(spans.slice(2));
  });

  it("waits in an adapter until its end is recorded", async () => {
    const recorder = new Recorder(1);
    const segments: AuditSegment[] = [];
    const imported: number[] = [];
    const store = { importSpans: async (_run: string, spans: readonly unknown[]) => imported.push(spans.length) };
    const source = { run: "run-1", segments };
    recorder.record({ kind: "start", episode: "a", task: "t", seed: 1, weights: 0 });
    segments.push(recorder.seal());
    await new FlightRecorderAdapter(source).importToStore(store);
    recorder.record({ kind: "end", episode: "a", outcome: "completed", reward: 0, cost: 0, steps: 0, violations: 0 });
    segments.push(recorder.seal());
    await new FlightRecorderAdapter(source).importToStore(store);
    expect(imported).toEqual([0, 1]);
  });
});

describe("records that do not follow from those before them are refused", () => {
  it.each<[string, (recorder: Recorder) => void, RegExp]>([
    [
      "a syscall of an episode that never started",
      (recorder) => recorder.record({ kind: "intent", episode: "a", step: 0, syscall: "x", args: {} }),
      /intent of episode a\) has no start/,
    ],
    [
      "an outcome without an intent",
      (recorder) => {
        recorder.record({ kind: "start", episode: "a", task: "t", seed: 1, weights: 0 });
        const rest = { verdict: "allow", outcome: "completed", violations: [] } as const;
        recorder.record({ kind: "outcome", episode: "a", step: 0, ...rest });
      },
      /outcome of episode a\) has no intent/,
    ],
  ])("%s", (_name, record, message) => {
    expect(() => spansOf("run-1", [sealed(record)], all)).toThrow(message);
  });
});
