import { describe, expect, it } from "vitest";
import { type EpisodeAuditRecord, genesis, recordHash } from "../../src/core/audit.ts";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import type { FlightRecorder } from "../../src/kernel/flight-recorder.ts";
import { bootShop, episodeKey, query } from "./shop-kernel.ts";

function sealed(recorder: FlightRecorder): readonly EpisodeAuditRecord[] {
  const text = new TextDecoder().decode(recorder.seal().bytes);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as EpisodeAuditRecord);
}

describe("the flight recorder", () => {
  it("has a start, an intent and an outcome for every syscall, and an end, without a gap over interleaved sessions", async () => {
    const kernel = await bootShop({ policy: { type: "sql", deny: ["DELETE"] } });
    const [one, two] = [kernel.open({ episode: episodeKey(1) }), kernel.open({ episode: episodeKey(2) })];
    query(one, "SELECT 1");
    query(two, "DELETE FROM orders");
    query(one, "SELECT nope");
    two.close({ outcome: "completed", reward: 1, cost: 50 });
    one.close();
    one.close();
    const records = sealed(kernel.recorder);
    expect(records.map((record) => record.sequence)).toEqual(records.map((_, index) => index));
    expect(records.map((record) => [record.kind, record.episode.at(-1)].join(" "))).toEqual([
      "start 1",
      "start 2",
      "intent 1",
      "outcome 1",
      "intent 2",
      "outcome 2",
      "intent 1",
      "outcome 1",
      "end 2",
      "end 1",
    ]);
    expect(records[0]).toEqual({
      kind: "start",
      sequence: 0,
      episode: "train-0-0-1",
      task: "task",
      seed: 1,
      weights: 0,
      worker: 0,
      epoch: 0,
      previous: genesis,
      policies: kernel.policySetHash,
    });
    expect(records[4]).toMatchObject({ step: 0, syscall: "sql.query", args: { sql: "DELETE FROM orders" } });
    expect(records[5]).toMatchObject({ verdict: "deny", outcome: "denied", violations: [{ rule: "DELETE" }] });
    expect(records[7]).toMatchObject({ step: 1, outcome: "failed", error: "no such column: nope" });
    expect(records[8]).toMatchObject({
      kind: "end",
      outcome: "completed",
      reward: 1,
      cost: 50,
      steps: 1,
      violations: 1,
    });
  });

  it("has the intent before the effect", async () => {
    const kernel = await bootShop();
    let seen: readonly string[] = [];
    const look = () => {
      seen = sealed(kernel.recorder).map((record) => record.kind);
    };
    using session = kernel.open({ episode: episodeKey(1), drivers: { spy: { operations: { look } } } });
    session.execute({ syscall: "spy.look", args: {} });
    expect(seen).toEqual(["start", "intent"]);
  });

  it("hands over each record once, with its place, worker and epoch", async () => {
    const { KernelSpace } = await import("../../src/kernel/kernel-space.ts");
    const kernel = new KernelSpace();
    await kernel.boot({ worker: 3, epoch: 2, driverDefaults: { sql: { script: "" } } });
    const session = kernel.open({ episode: episodeKey(1) });
    expect(kernel.recorder.seal()).toMatchObject({ worker: 3, epoch: 2, first: 0, count: 1 });
    query(session, "SELECT 1");
    expect(kernel.recorder.seal()).toMatchObject({ first: 1, count: 2 });
    expect(kernel.recorder.seal()).toMatchObject({ first: 3, count: 0, bytes: new Uint8Array(0) });
  });

  it("writes canonical lines: what is read back and written again is the same bytes", async () => {
    const kernel = await bootShop({ policy: { type: "sql", deny: ["DROP"] } });
    using session = kernel.open({ episode: episodeKey(1) });
    query(session, "DROP TABLE log; DROP VIEW leak");
    query(session, 'SELECT "nope" -- é\n');
    session.execute({ syscall: "x.y", args: { b: [1, { d: null, c: true }], a: "z" } });
    const lines = new TextDecoder().decode(kernel.recorder.seal().bytes).trimEnd().split("\n");
    expect(lines.map((line) => canonicalJson(JSON.parse(line)))).toEqual(lines);
  });

  it("links every record to the one before it, over interleaved sessions and seals", async () => {
    const kernel = await bootShop();
    const [one, two] = [kernel.open({ episode: episodeKey(1) }), kernel.open({ episode: episodeKey(2) })];
    query(one, "SELECT 1");
    const first = kernel.recorder.seal();
    query(two, "SELECT 'é'");
    one.close();
    two.close();
    const second = kernel.recorder.seal();
    const lines = [first, second].flatMap(({ bytes }) => new TextDecoder().decode(bytes).trimEnd().split("\n"));
    let previous = genesis;
    for (const line of lines) {
      expect((JSON.parse(line) as EpisodeAuditRecord).previous).toBe(previous);
      previous = recordHash(line);
    }
    expect([first.previous, first.head, second.head]).toEqual([genesis, second.previous, previous]);
  });

  it("takes any arguments an agent may send", () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const values = [circular, 1n, Number.NaN, undefined, () => 1, new Uint8Array([1]), "x".repeat(100_000), "\ud800"];
    for (const value of values) expect(() => JSON.parse(canonicalJson({ value }))).not.toThrow();
    expect(canonicalJson("x".repeat(100_000)).length).toBeLessThan(3_000);
  });
});
