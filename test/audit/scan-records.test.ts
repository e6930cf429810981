import fc from "fast-check";
import { expect, test } from "vitest";
import { recordsOf } from "../../src/audit/audit-records.ts";
import { JsonWalk } from "../../src/audit/json-walk.ts";
import { scanRecords } from "../../src/audit/scan-records.ts";
import type { AuditRecord, AuditSegment } from "../../src/core/audit.ts";
import { canonicalJson } from "../../src/core/canonical-json.ts";

const anything = fc.anything({ withBigInt: true, withNullPrototype: true, withTypedArray: true });

function walked(text: string): { readonly elements: number } | null {
  const bytes = new Uint8Array(Buffer.from(text));
  const walk = new JsonWalk(bytes);
  return walk.value() && walk.at === bytes.length ? { elements: walk.elements } : null;
}

test("a walk passes over whatever canonical JSON is not too deep, and counts what it holds", () => {
  fc.assert(
    fc.property(fc.oneof(anything, fc.array(anything), fc.double(), fc.string({ unit: "binary" })), (value) => {
      const parsed = JSON.parse(canonicalJson(value));
      const isHolder = typeof parsed === "object" && parsed !== null;
      expect(walked(canonicalJson(value))).toEqual({ elements: isHolder ? Object.keys(parsed).length : 0 });
    }),
    { numRuns: 2_000 },
  );
});

test("a walk takes nothing that JSON.parse does not take", () => {
  const tokens = [
    ...'{}[]:,"\\-+.0123e 	\n',
    '"a"',
    '"\\u00e4"',
    "\\u12",
    "1.5e-3",
    "01",
    "true",
    "fals",
    "null",
    "\u0001",
  ];
  const soup = fc.array(fc.constantFrom(...tokens), { maxLength: 12 }).map((parts) => parts.join(""));
  const edited = fc
    .tuple(fc.jsonValue(), fc.nat(), fc.constantFrom("", ...tokens), fc.nat(2))
    .map(([value, at, put, cut]) => {
      const text = JSON.stringify(value);
      const place = at % (text.length + 1);
      return text.slice(0, place) + put + text.slice(place + cut);
    });
  fc.assert(
    fc.property(fc.oneof(soup, edited), (text) => {
      if (walked(text) !== null) expect(() => JSON.parse(text)).not.toThrow();
    }),
    { numRuns: 20_000 },
  );
});

test.each([
  "[1,2",
  "[1,]",
  '{"a"}',
  '{"a":1,}',
  "01",
  "1.",
  "1e",
  "-",
  "tru",
  "nulL",
  '"\n"',
  '"\\x"',
  '"\\u12g4"',
  "",
])("a walk does not take %j", (text) => expect(walked(text)).toBeNull());

test("what is nested more deeply than a walk keeps track of is left to whoever parses", () => {
  expect(walked("[".repeat(30) + "]".repeat(30))).not.toBeNull();
  expect(walked("[".repeat(32) + "]".repeat(32))).toBeNull();
});

const place = { worker: 1, epoch: 0, policies: "00" };
const kinds = fc.oneof(
  fc.record({ kind: fc.constant("start"), task: fc.string(), seed: fc.nat(), weights: fc.nat() }),
  fc.record({ kind: fc.constant("intent"), step: fc.nat(), syscall: fc.string(), args: anything }),
  fc.record({ kind: fc.constant("calls"), step: fc.nat(), syscall: fc.string(), args: fc.array(anything) }),
  fc.record({
    ...{ kind: fc.constant("outcome"), step: fc.nat(), outcome: fc.constant("denied"), verdict: fc.constant("deny") },
    violations: fc.array(fc.record({ policy: fc.string(), evidence: anything })),
    error: fc.string(),
  }),
  fc.record({ kind: fc.constant("signal"), step: fc.nat(), signal: fc.constant("SIGTERM") }),
  fc.record({
    kind: fc.constant("end"),
    outcome: fc.string(),
    reward: fc.double(),
    cost: fc.double(),
    steps: fc.nat(),
    violations: fc.nat(),
  }),
);
const ids = fc.oneof(
  { arbitrary: fc.constantFrom("train-1-0-0", "train-1-0-1", "eval-0-12-3"), weight: 40 },
  { arbitrary: fc.string({ unit: "binary" }), weight: 1 },
);

function segmentOf(lines: readonly string[], first = 0): AuditSegment {
  const bytes = new Uint8Array(Buffer.from(lines.map((line) => `${line}\n`).join("")));
  return { worker: 1, epoch: 0, first, count: lines.length, previous: "", head: "", bytes };
}

function elementsOf(record: AuditRecord): number {
  if (record.kind === "calls") return record.args.length;
  return record.kind === "outcome" ? record.violations.length : 0;
}

test("a scan finds in records what parsing finds in them", () => {
  let scanned = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(kinds, ids), { maxLength: 8 }), fc.nat(1_000_000), (entries, first) => {
      const lines = entries.map(([entry, episode], index) =>
        canonicalJson({ ...entry, episode, ...place, sequence: first + index, previous: "00" }),
      );
      const segment = segmentOf(lines, first);
      const found = scanRecords(segment);
      if (found === null) return;
      scanned += found.length;
      const text = Buffer.from(segment.bytes);
      expect(found.map(({ start, end }) => text.toString("utf8", start, end))).toEqual(lines);
      expect(found.map(({ kind, episode, elements }) => ({ kind, episode, elements }))).toEqual(
        recordsOf(segment).map((record) => ({
          ...{ kind: record.kind, episode: "episode" in record ? record.episode : "" },
          elements: elementsOf(record),
        })),
      );
    }),
    { numRuns: 3_000 },
  );
  expect(scanned).toBeGreaterThan(1_000);
});

test("where a scan finds anything in bytes that were changed, parsing finds the same", () => {
  const lines = [
    canonicalJson({
      kind: "start",
      episode: "a",
      ...place,
      sequence: 0,
      previous: "00",
      task: "t",
      seed: 1,
      weights: 0,
    }),
    canonicalJson({
      kind: "calls",
      episode: "a",
      ...place,
      sequence: 1,
      previous: "00",
      step: 0,
      syscall: "s",
      args: [1, [2, 3]],
    }),
    canonicalJson({
      kind: "outcome",
      episode: "a",
      ...place,
      sequence: 2,
      previous: "00",
      step: 1,
      violations: [{ a: [1, 2] }],
    }),
  ];
  const whole = segmentOf(lines);
  const pieces = [
    '"kind":"end"',
    '"episode":"b"',
    ',"args":3',
    '"args":[]',
    '"violations":[]',
    '"sequence":1',
    "\\u006b",
    ',"ki\\u006ed":"end"',
    ',"e\\u0070isode":"b"',
    "é",
    "\n",
    '"',
    "}",
  ];
  const edits = fc.tuple(fc.nat(whole.bytes.length), fc.nat(20), fc.constantFrom("", ...pieces));
  fc.assert(
    fc.property(fc.array(edits, { minLength: 1, maxLength: 2 }), (all) => {
      let text = Buffer.from(whole.bytes).toString("latin1");
      for (const [at, cut, put] of all) text = text.slice(0, at) + put + text.slice(at + cut);
      const segment = { ...whole, bytes: new Uint8Array(Buffer.from(text, "latin1")) };
      const found = scanRecords(segment);
      if (found === null) return;
      expect(found.map(({ kind, episode, elements }) => ({ kind, episode, elements }))).toEqual(
        recordsOf(segment).map((record) => ({
          ...{ kind: record.kind, episode: "episode" in record ? record.episode : "" },
          elements: elementsOf(record),
        })),
      );
    }),
    { numRuns: 20_000 },
  );
});

test.each(["args", "episode", "kind", "sequence", "violations"])(
  "a scan takes no record whose key %s is spelt with an escape, wherever the escape and the key are",
  (key) => {
    const plain = { args: [1], episode: "a", kind: "calls", sequence: 0, violations: [] };
    const line = JSON.stringify(plain);
    expect(scanRecords(segmentOf([line]))).toHaveLength(1);
    for (let at = 0; at < key.length; at++) {
      const code = key.charCodeAt(at).toString(16).padStart(4, "0");
      const again = `"${key.slice(0, at)}\\u${code}${key.slice(at + 1)}":"other"`;
      expect(JSON.parse(`{${again}}`)).toEqual({ [key]: "other" });
      expect(scanRecords(segmentOf([`{${again},${line.slice(1)}`]))).toBeNull();
      expect(scanRecords(segmentOf([`${line.slice(0, -1)},${again}}`]))).toBeNull();
    }
  },
);
