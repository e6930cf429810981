import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KnownHeads } from "../../src/audit/known-heads.ts";
import { FaradayError, InputError } from "../../src/core/errors.ts";

let folder: string;
let heads: KnownHeads;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "faraday-heads-"));
  heads = new KnownHeads({ folder: join(folder, "heads") });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const head = {
  place: "/data/faraday.db",
  run: "run-1",
  origin: "faraday.invalid/run-1/00",
  size: 10,
  root: "ab".repeat(32),
};

describe("a known head", () => {
  it("is what was last kept of a run at a place, apart from all others", () => {
    expect(heads.get(head)).toBeNull();
    heads.begin(head);
    heads.begin({ ...head, run: "run-2", size: 3 });
    heads.begin({ ...head, place: "/other.db", size: 4 });
    expect(heads.get(head)).toEqual(head);
    expect([heads.get({ ...head, run: "run-2" })?.size, heads.get({ ...head, place: "/other.db" })?.size]).toEqual([
      3, 4,
    ]);
    expect(readdirSync(join(folder, "heads")).length).toBe(3);
    if (process.platform !== "win32") expect(statSync(heads.path(head)).mode & 0o777).toBe(0o600);
  });

  it("goes forward and never back", () => {
    heads.begin(head);
    expect(heads.advance({ ...head, size: 12, root: "cd".repeat(32) }).size).toBe(12);
    expect(heads.advance({ ...head, size: 11 }).size).toBe(12);
    expect(heads.get(head)?.root).toBe("cd".repeat(32));
  });

  it("is kept when nothing was known", () => {
    heads.advance(head);
    expect(heads.get(head)).toEqual(head);
  });

  it("does not take another root at its size, nor another log in its place", () => {
    heads.begin(head);
    expect(() => heads.advance({ ...head, root: "cd".repeat(32) })).toThrow(FaradayError);
    expect(() => heads.advance({ ...head, origin: "faraday.invalid/run-1/01", size: 99 })).toThrow(
      /is known as the log/,
    );
    expect(heads.get(head)).toEqual(head);
    expect(heads.begin({ ...head, origin: "faraday.invalid/run-1/01", size: 0 }).size).toBe(0);
    expect(heads.get(head)?.origin).toBe("faraday.invalid/run-1/01");
  });

  it.each([
    ["text", () => "hello"],
    ["the head of another run", () => JSON.stringify({ ...head, run: "run-9" })],
    ["a root that is none", () => JSON.stringify({ ...head, root: "zz" })],
    ["a size that is none", () => JSON.stringify({ ...head, size: -1 })],
  ])("that was damaged into %s is refused, not forgotten", (_, text) => {
    heads.begin(head);
    writeFileSync(heads.path(head), text());
    expect(() => heads.get(head)).toThrow(InputError);
    expect(() => heads.advance(head)).toThrow(heads.path(head));
    expect(readFileSync(heads.path(head), "utf8")).toBe(text());
  });
});
