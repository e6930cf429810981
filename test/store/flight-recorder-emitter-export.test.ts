import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { AuditSegment } from "../../src/core/audit.ts";
import type { FlightEntry } from "../../src/store/flight-entry.ts";
import { FlightRecorderEmitter } from "../../src/store/flight-recorder-emitter.ts";
import type { LightningSpanData } from "../../src/store/lightning-span.ts";
import { openStore } from "../../src/store/open.ts";
import { MemoryLogger } from "../runner/kernels.ts";
import { Recorder } from "./recorder.ts";
import { deletion } from "./samples.ts";

const folder = () => realpathSync(mkdtempSync(join(tmpdir(), "faraday-test-")));

/** Options of an emitter that writes nothing outside a folder of its own. */
function options() {
  return { logger: new MemoryLogger(), spillFile: join(folder(), "unsent.jsonl") };
}

function sealed(steps: Parameters<Recorder["episode"]>[1] = [[], [deletion]]): AuditSegment {
  const recorder = new Recorder(1);
  recorder.episode("train-0-0-0", steps);
  return recorder.seal();
}

const call: FlightEntry = { type: "tool_call", agentId: "a", toolName: "sql.query", toolArgs: { sql: "SELECT 1" } };

describe("emitToStore", () => {
  it("112, 113, 116: hands every span to emitSpan, else addSpan, each once, and says how many", async () => {
    for (const method of ["emitSpan", "addSpan"]) {
      const taken: LightningSpanData[] = [];
      const emitter = new FlightRecorderEmitter({ segments: [sealed()] }, options());
      const store = { [method]: async (span: LightningSpanData) => taken.push(span) };
      expect(await emitter.emitToStore(store)).toBe(6);
      expect(taken).toEqual(emitter.getSpans().map((span) => span.toDict()));
      expect(await emitter.emitToStore(store)).toBe(0);
      expect(emitter.getStats().emittedCount).toBe(6);
    }
  });

  it("113, 116: imports whole episodes into a LightningStore, each span once", async () => {
    await using store = await openStore("sqlite:faraday.db", { baseDir: folder() });
    await store.beginRun({ id: "run-1", config: {} });
    const emitter = new FlightRecorderEmitter({ run: "run-1", segments: [sealed()] }, options());
    expect(await emitter.emitToStore(store)).toBe(4);
    expect(await emitter.emitToStore(store)).toBe(0);
    expect((await store.spans("run-1")).map(({ name }) => name)).toContain("agent_os.violation");
  });

  it("113, 137: sends each span once where it is called twice at the same time, and stays calm where the source breaks", async () => {
    const taken: unknown[] = [];
    const emitter = new FlightRecorderEmitter({ segments: [sealed()] }, options());
    const store = { emitSpan: async (span: LightningSpanData) => void taken.push(span) };
    expect(await Promise.all([emitter.emitToStore(store), emitter.emitToStore(store)])).toEqual([6, 0]);
    expect(taken).toHaveLength(6);
    const seal = () => {
      throw new Error("the recorder is gone");
    };
    expect(await new FlightRecorderEmitter({ seal }, options()).emitToStore(store)).toBe(0);
  });

  it("114: warns and stops where the store takes no spans", async () => {
    const given = options();
    expect(await new FlightRecorderEmitter({ entries: [call] }, given).emitToStore({})).toBe(0);
    expect(given.logger.lines).toMatchObject([
      { level: "warning", message: expect.stringMatching(/neither emitSpan nor addSpan/) },
    ]);
  });

  it("115, 137: tries a failed span again, goes on with the next, keeps it on disk, and does not count it", async () => {
    const given = options();
    const emitter = new FlightRecorderEmitter(
      {
        entries: [
          { ...call, id: 1 },
          { ...call, id: 2 },
          { ...call, id: 3 },
        ],
      },
      { ...given, attemptsMax: 2 },
    );
    const [, second, third] = emitter.getSpans();
    let tries = 0;
    let down = true;
    const store = {
      emitSpan(span: LightningSpanData) {
        if (span.spanId === second?.spanId && down) throw new Error(`the store is down, try ${++tries}`);
        if (span.spanId === third?.spanId && tries === 2) return Promise.reject(new Error("once")).catch(() => {});
      },
    };
    expect(await emitter.emitToStore(store)).toBe(2);
    expect(tries).toBe(2);
    expect(readFileSync(given.spillFile, "utf8")).toBe(`${second?.toJson()}\n`);
    expect(statSync(given.spillFile).mode & 0o777).toBe(0o600);
    expect(given.logger.lines.map(({ level }) => level)).toEqual(["error", "error"]);
    expect(emitter.getStats()).toMatchObject({ emittedCount: 2, spilledCount: 1 });
    expect(await emitter.emitToStore(store)).toBe(0);
    expect(readFileSync(given.spillFile, "utf8").split("\n")).toHaveLength(2);
    down = false;
    expect(await emitter.emitToStore(store)).toBe(1);
  });

  it("115, 137, 146: says so where a span can be kept nowhere, and does not throw", async () => {
    const given = options();
    const elsewhere = join(folder(), "elsewhere");
    symlinkSync(elsewhere, given.spillFile);
    const emitter = new FlightRecorderEmitter({ entries: [call] }, given);
    expect(await emitter.emitToStore({ emitSpan: () => Promise.reject(new Error("down")) })).toBe(0);
    expect(given.logger.lines.at(-1)).toMatchObject({
      level: "error",
      message: "spans are neither stored nor on disk",
    });
    expect(existsSync(elsewhere)).toBe(false);
    expect(emitter.getStats()).toMatchObject({ emittedCount: 0, spilledCount: 0 });
  });

  it("115: a LightningStore that fails is tried again, and nothing is counted", async () => {
    const given = options();
    let tries = 0;
    const importSpans = async () => {
      tries++;
      throw new Error("locked");
    };
    const emitter = new FlightRecorderEmitter({ run: "run-1", segments: [sealed()] }, given);
    expect(await emitter.emitToStore({ importSpans })).toBe(0);
    expect(tries).toBe(3);
    expect(await new FlightRecorderEmitter({ segments: [sealed()] }, given).emitToStore({ importSpans })).toBe(0);
    expect(tries).toBe(3);
  });
});

describe("exportToFile", () => {
  it("117, 118: writes a JSON array with two spaces, for its owner alone, and says how many spans", () => {
    const file = join(folder(), "spans.json");
    const emitter = new FlightRecorderEmitter({ segments: [sealed()] }, options());
    writeFileSync(file, "x".repeat(100_000), { mode: 0o644 });
    expect(emitter.exportToFile(file)).toBe(6);
    const expected = emitter.getSpans().map((span) => span.toDict());
    expect(readFileSync(file, "utf8")).toBe(`${JSON.stringify(expected, null, 2)}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("145, 146: follows no symbolic link, to a file or on the way, and writes into no folder that others write to", () => {
    const [own, secret, open] = [folder(), folder(), folder()];
    const target = join(secret, "target.json");
    writeFileSync(target, "precious");
    symlinkSync(target, join(own, "link.json"));
    symlinkSync(join(secret, "new.json"), join(own, "dangling.json"));
    symlinkSync(secret, join(own, "folder"));
    linkSync(target, join(own, "hard.json"));
    mkdirSync(join(own, "directory"));
    chmodSync(open, 0o777);
    const emitter = new FlightRecorderEmitter({ entries: [call] }, options());
    for (const [path, message] of [
      [join(own, "link.json"), /symbolic link/],
      [join(own, "dangling.json"), /symbolic link/],
      [join(own, "folder", "spans.json"), /symbolic link/],
      [join(own, "hard.json"), /ordinary one of your own/],
      [join(own, "directory"), /cannot be written/],
      [join(own, "gone", "spans.json"), /must exist/],
      [join(open, "spans.json"), /can be written by others/],
    ] as const) {
      expect(() => emitter.exportToFile(path)).toThrow(message);
    }
    expect(readFileSync(target, "utf8")).toBe("precious");
    expect([join(secret, "new.json"), join(secret, "spans.json"), join(open, "spans.json")].filter(existsSync)).toEqual(
      [],
    );
  });
});
