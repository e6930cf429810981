import { mkdtempSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { AuditSegment } from "../../src/core/audit.ts";
import { FlightRecorder } from "../../src/kernel/flight-recorder.ts";
import type { FlightEntry } from "../../src/store/flight-entry.ts";
import { createEmitter, FlightRecorderEmitter } from "../../src/store/flight-recorder-emitter.ts";
import { LightningSpan } from "../../src/store/lightning-span.ts";
import { MemoryLogger } from "../runner/kernels.ts";
import { Recorder } from "./recorder.ts";
import { deletion } from "./samples.ts";

const noon = new Date("2026-03-01T12:00:00.000Z");
const folder = () => realpathSync(mkdtempSync(join(tmpdir(), "faraday-test-")));

/** Options of an emitter that writes nothing outside a folder of its own. */
function options() {
  const spillFile = join(folder(), "unsent.jsonl");
  return { now: () => noon, logger: new MemoryLogger(), spillFile };
}

function sealed(steps: Parameters<Recorder["episode"]>[1] = [[], [deletion]], episode = "train-0-0-0"): AuditSegment {
  const recorder = new Recorder(1);
  recorder.episode(episode, steps);
  return recorder.seal();
}

const onEntries = (...entries: readonly FlightEntry[]) => new FlightRecorderEmitter({ entries }, options());
const call: FlightEntry = {
  type: "tool_call",
  agentId: "a",
  toolName: "sql.query",
  toolArgs: { sql: "SELECT 1" },
  toolResult: "completed",
};
const check: FlightEntry = {
  type: "policy_check",
  agentId: "a",
  policyName: "sql",
  policyResult: "blocked",
  policyViolated: true,
};
const signal: FlightEntry = { type: "signal", agentId: "a", signalType: "SIGSTOP", signalTarget: "b" };

describe("a lightning span", () => {
  const span = new LightningSpan({ spanId: "1", traceId: "2", name: "agent_os.signal", startTime: noon });

  it("97: has ids, name, times, attributes and events", () => {
    expect(span).toMatchObject({
      spanId: "1",
      traceId: "2",
      name: "agent_os.signal",
      startTime: noon,
      endTime: null,
      attributes: {},
      events: [],
    });
  });

  it("98, 99: becomes plain data with ISO 8601 times, and JSON", () => {
    expect(span.toDict()).toMatchObject({ startTime: "2026-03-01T12:00:00.000Z", endTime: null });
    expect(JSON.parse(span.toJson())).toEqual(span.toDict());
  });
});

describe("the entries of a recorder", () => {
  it("100, 101: are all included unless their flag says no; those are dropped silently", () => {
    const types = (flags: object) => {
      const emitter = new FlightRecorderEmitter({ entries: [call, check, signal] }, { ...options(), ...flags });
      return emitter.getSpans().map(({ attributes }) => attributes["agent_os.entry_type"]);
    };
    expect(types({})).toEqual(["tool_call", "policy_check", "signal"]);
    expect(types({ includeToolCalls: false })).toEqual(["policy_check", "signal"]);
    expect(types({ includePolicyChecks: false })).toEqual(["tool_call", "signal"]);
    expect(types({ includeSignals: false })).toEqual(["tool_call", "policy_check"]);
    expect(onEntries(call).getSpans()[0]?.attributes["agent_os.trace_id_prefix"]).toBe("agentos");
    expect(() => types({ includeEverything: true })).toThrow(/includeEverything/);
  });

  it("102, 103: have valid OpenTelemetry ids from id, entryId or count, and the prefix in an attribute", () => {
    const spans = onEntries({ ...call, id: 7 }, { ...call, entryId: 7 }, { ...call, id: 8 }, call, call, {
      ...call,
      id: 7,
      agentId: "b",
    }).getSpans();
    for (const { spanId, traceId } of spans) {
      expect(spanId).toMatch(/^(?!0+$)[0-9a-f]{16}$/);
      expect(traceId).toMatch(/^(?!0+$)[0-9a-f]{32}$/);
    }
    expect(spans[0]?.spanId).toBe(spans[1]?.spanId);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(5);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(2);
    expect(spans[0]?.attributes).toMatchObject({
      "agent_os.trace": "agentos-a",
      "agent_os.trace_id_prefix": "agentos",
    });
    const other = new FlightRecorderEmitter({ entries: [call] }, { ...options(), traceIdPrefix: "mine" }).getSpans();
    expect(other[0]?.attributes["agent_os.trace"]).toBe("mine-a");
    expect(other[0]?.traceId).not.toBe(spans[0]?.traceId);
  });

  it("104, 105, 106: are named for their type, and start and end at their time", () => {
    const [span] = onEntries({ ...call, timestamp: "2026-01-02T03:04:05Z" }).getSpans();
    expect(span).toMatchObject({ name: "agent_os.tool_call", startTime: new Date("2026-01-02T03:04:05Z") });
    expect(span?.endTime).toEqual(span?.startTime);
    expect(span?.attributes).toMatchObject({ "agent_os.entry_type": "tool_call", "agent_os.agent_id": "a" });
  });

  it("105: without a clock have the time at which they were first seen, and keep it", () => {
    let minute = 0;
    const segments = [sealed()];
    const emitter = new FlightRecorderEmitter(
      { segments },
      { ...options(), now: () => new Date(Date.UTC(2026, 0, 1, 0, minute++)) },
    );
    const [first] = emitter.getNewSpans();
    segments.push(sealed([], "later"));
    const spans = emitter.getSpans();
    expect(spans[0]?.startTime).toEqual(first?.startTime);
    expect(spans.at(-1)?.startTime.getTime()).toBeGreaterThan(first?.startTime.getTime() ?? 0);
  });

  it("107, 108: say policy, result and whether it was violated; signal and target", () => {
    const [checked, sent] = onEntries(check, signal).getSpans();
    expect(checked?.attributes).toMatchObject({
      "agent_os.policy_name": "sql",
      "agent_os.policy_result": "blocked",
      "agent_os.policy_violated": true,
    });
    expect(sent?.attributes).toMatchObject({ "agent_os.signal_type": "SIGSTOP", "agent_os.signal_target": "b" });
  });

  it("109: say tool, arguments and result, these cut to 1,000 characters", () => {
    const [span] = onEntries({ ...call, toolArgs: "x".repeat(5000), toolResult: ["y".repeat(5000)] }).getSpans();
    expect(span?.attributes["agent_os.tool_name"]).toBe("sql.query");
    expect(String(span?.attributes["agent_os.tool_args"])).toHaveLength(1000);
    expect(String(span?.attributes["agent_os.tool_result"])).toHaveLength(1000);
  });

  it("110: bring their metadata, which never replaces what the entry itself says", () => {
    const [span] = onEntries({ ...check, metadata: { step: 3, nested: { a: 1 }, policy_violated: false } }).getSpans();
    expect(span?.attributes).toMatchObject({
      "agent_os.step": 3,
      "agent_os.nested": { a: 1 },
      "agent_os.policy_violated": true,
    });
  });

  it("137: that cannot be converted are skipped and counted", () => {
    const emitter = onEntries(null as never, { ...call, timestamp: "yesterday" }, call);
    expect(emitter.getSpans()).toHaveLength(1);
    emitter.getSpans();
    expect(emitter.getStats().skippedCount).toBe(2);
  });
});

describe("audit segments", () => {
  it("106, 107, 109: become calls with what came of them, a check for each violation, and the episode's begin and end", () => {
    const spans = new FlightRecorderEmitter({ run: "run-1", segments: [sealed()] }, options()).getSpans();
    expect(spans.map(({ name }) => name.replace("agent_os.", ""))).toEqual([
      ...["episode_start", "tool_call", "policy_check", "tool_call", "policy_check", "episode_end"],
    ]);
    expect(spans[3]?.attributes).toMatchObject({
      "agent_os.agent_id": "train-0-0-0",
      "agent_os.tool_name": "sql.query",
      "agent_os.tool_args": '{"sql":"DELETE FROM users"}',
      "agent_os.tool_result": "denied",
    });
    expect(spans[2]?.attributes).toMatchObject({ "agent_os.policy_violated": false });
    expect(spans[4]?.attributes).toMatchObject({
      "agent_os.policy_name": "sql",
      "agent_os.policy_violated": true,
      "agent_os.severity": "high",
      "agent_os.rule": "DELETE",
    });
  });

  it("111: are read once: getNewSpans converts the suffix alone", () => {
    let reads = 0;
    const counted = (segment: AuditSegment): AuditSegment => ({
      ...segment,
      get bytes() {
        reads++;
        return segment.bytes;
      },
    });
    const segments = [counted(sealed()), counted(sealed([], "b"))];
    const emitter = new FlightRecorderEmitter({ segments }, options());
    expect(emitter.getNewSpans()).toHaveLength(8);
    expect(emitter.getNewSpans()).toHaveLength(0);
    segments.push(counted(sealed([[deletion]], "c")));
    expect(emitter.getNewSpans().map(({ attributes }) => attributes["agent_os.agent_id"])).toEqual([
      "c",
      "c",
      "c",
      "c",
    ]);
    expect(reads).toBe(3);
    expect(emitter.getStats()).toMatchObject({ emittedCount: 12, lastPosition: 12 });
  });

  it("111: of a live recorder are sealed at each look, and stay with the emitter", () => {
    const recorder = new FlightRecorder({ worker: 1, epoch: 0 });
    const key = {
      id: "e",
      phase: "train",
      iteration: 0,
      group: 0,
      index: 0,
      task: "t",
      split: "train",
      seed: 1,
      weights: 0,
    } as const;
    const emitter = createEmitter(recorder, options());
    const episode = recorder.start(key, "00");
    expect(emitter.getNewSpans()).toHaveLength(1);
    episode.end({ outcome: "completed", reward: 1, cost: 0 });
    expect(emitter.getNewSpans().map(({ name }) => name)).toEqual(["agent_os.episode_end"]);
    expect(emitter.segments.map(({ first, count }) => [first, count])).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });

  it("137: that are damaged are skipped and told", () => {
    const given = options();
    const broken = { ...sealed(), bytes: new TextEncoder().encode("nonsense\n") };
    const emitter = new FlightRecorderEmitter({ segments: [broken, sealed()] }, given);
    expect(emitter.getSpans()).toHaveLength(6);
    expect(given.logger.lines).toMatchObject([{ level: "warning" }]);
  });
});

describe("stream", () => {
  it("119, 120, 121, 122: gives new spans as they come, and drains what is there when it is aborted", async () => {
    const entries: FlightEntry[] = [{ ...call, id: 0 }];
    const controller = new AbortController();
    const names: unknown[] = [];
    for await (const { attributes } of new FlightRecorderEmitter({ entries }, options()).stream({
      signal: controller.signal,
      pollMs: 1,
    })) {
      names.push(attributes["agent_os.tool_name"]);
      if (names.length === 1) setImmediate(() => entries.push({ ...call, id: 1, toolName: "second" }));
      if (names.length === 2) {
        controller.abort();
        entries.push({ ...call, id: 2, toolName: "drained" }, { ...call, id: 3, toolName: "drained" });
      }
    }
    expect(names).toEqual(["sql.query", "second", "drained", "drained"]);
  });

  it("122: aborted before, gives what is there and ends", async () => {
    const names: string[] = [];
    for await (const { name } of onEntries(call, check).stream({ signal: AbortSignal.abort() })) names.push(name);
    expect(names).toEqual(["agent_os.tool_call", "agent_os.policy_check"]);
  });

  it("123: without a signal, ends when its consumer leaves", async () => {
    const stream = onEntries(call).stream();
    expect((await stream.next()).value).toBeInstanceOf(LightningSpan);
    expect(await stream.return(undefined)).toEqual({ value: undefined, done: true });
  });
});

describe("the figures of an emitter", () => {
  it("130: say how many spans and violations there are, and of which policies", () => {
    const emitter = onEntries(
      call,
      check,
      check,
      { ...check, policyName: "budget" },
      { ...check, policyViolated: false },
    );
    expect(emitter.getViolationSummary()).toEqual({
      totalEntries: 5,
      totalViolations: 3,
      violationRate: 0.6,
      policiesViolated: { sql: 2, budget: 1 },
    });
    expect(onEntries().getViolationSummary()).toMatchObject({ totalEntries: 0, violationRate: 0 });
  });

  it("131, 134: from the factory say how many were emitted, and how far", () => {
    const emitter = createEmitter({ entries: [call, signal] }, { ...options(), includeSignals: false });
    emitter.getNewSpans();
    expect(emitter.getStats()).toEqual({ emittedCount: 1, lastPosition: 2, skippedCount: 0, spilledCount: 0 });
  });
});
