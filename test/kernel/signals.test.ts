import { describe, expect, it } from "vitest";
import type { AuditRecord } from "../../src/core/audit.ts";
import type { SyscallResult } from "../../src/core/syscall.ts";
import { KernelSpace } from "../../src/kernel/kernel-space.ts";
import { episodeKey } from "./shop-kernel.ts";

const wait = { syscall: "robot.wait", args: {} };
const move = { syscall: "robot.move", args: {} };

async function open() {
  const kernel = new KernelSpace();
  await kernel.boot();
  const waiting: ((value: unknown) => void)[] = [];
  const operations = {
    move: () => "moved",
    wait: () => new Promise((resolve) => waiting.push(resolve)),
  };
  const session = kernel.open({ episode: episodeKey(1), drivers: { robot: { operations } } });
  const records = () => {
    const text = new TextDecoder().decode(kernel.recorder.seal().bytes).trimEnd();
    return text.split("\n").map((line) => JSON.parse(line) as AuditRecord);
  };
  return { kernel, session, waiting, records };
}

const signalOf = (result: SyscallResult) =>
  result.violations.map(({ rule, type, penalty }) => ({ rule, type, penalty }));

describe("a signal", () => {
  it("SIGSTOP holds the next syscall, and SIGCONT releases it", async () => {
    const { kernel, session, records } = await open();
    expect(kernel.signal(episodeKey(1).id, "SIGSTOP")).toBe(true);
    const held = session.execute(move);
    const next = session.execute(move);
    expect(held).toBeInstanceOf(Promise);
    expect(records().map(({ kind }) => kind)).toEqual(["start", "signal"]);
    kernel.signal(episodeKey(1).id, "SIGCONT");
    expect(await held).toMatchObject({ outcome: "completed", result: "moved" });
    expect(await next).toMatchObject({ outcome: "completed" });
    expect(session.execute(move)).toMatchObject({ outcome: "completed" });
    expect(session.terminated).toBe(null);
  });

  it.each(["SIGTERM", "SIGKILL"] as const)("%s ends an episode that is held", async (signal) => {
    const { session } = await open();
    session.signal("SIGSTOP");
    const held = session.execute(move);
    session.signal(signal);
    const result = await held;
    expect(result.outcome).toBe("denied");
    expect(signalOf(result)).toEqual([{ rule: signal, type: "SIGNAL_SENT", penalty: 0 }]);
    expect(session.terminated).toBe(signal);
  });

  it("SIGTERM lets what is pending end, and denies the next syscall", async () => {
    const { session, waiting } = await open();
    const pending = session.execute(wait);
    session.signal("SIGTERM");
    expect(session.terminated).toBe(null);
    waiting[0]?.("done");
    expect(await pending).toMatchObject({ outcome: "completed", result: "done" });
    expect(session.execute(move)).toMatchObject({
      outcome: "denied",
      violations: [{ rule: "SIGTERM", blocked: true }],
    });
    expect(session.terminated).toBe("SIGTERM");
  });

  it("SIGKILL answers what is pending and waiting at once; the late result changes nothing", async () => {
    const { session, waiting, records } = await open();
    const pending = [session.execute(wait), session.execute(move)];
    expect(session.signal("SIGKILL")).toBe(true);
    expect(session.terminated).toBe("SIGKILL");
    const results = await Promise.all(pending);
    expect(results.map(({ outcome }) => outcome)).toEqual(["denied", "denied"]);
    waiting[0]?.("late");
    await Promise.resolve();
    expect(session.signal("SIGCONT")).toBe(false);
    session.close();
    expect(records().map(({ kind }) => kind)).toEqual([
      "start",
      "intent",
      "signal",
      "outcome",
      "intent",
      "outcome",
      "end",
    ]);
    expect(session.counts).toEqual({
      mediated: { syscalls: 2, violations: 2 },
      recorded: { syscalls: 2, violations: 2 },
    });
  });

  it("reaches the episodes of its kernel that are under way, and no other", async () => {
    const { kernel, session } = await open();
    expect(kernel.signal("train-0-0-9", "SIGKILL")).toBe(false);
    session.close();
    expect(kernel.signal(episodeKey(1).id, "SIGKILL")).toBe(false);
  });
});

describe("syscalls of one session", () => {
  it("run one after the other, in the order in which they were made", async () => {
    const { session, waiting, records } = await open();
    const both = [session.execute(wait), session.execute(move)];
    expect(records().map(({ kind }) => kind)).toEqual(["start", "intent"]);
    waiting[0]?.("first");
    expect((await Promise.all(both)).map(({ result }) => result)).toEqual(["first", "moved"]);
    expect(records().map((record) => "step" in record && record.step)).toEqual([0, 1, 1]);
  });

  it("that are pending when it closes have an outcome in the record before its end", async () => {
    const { session, records } = await open();
    const pending = session.execute(wait);
    session.close();
    expect(await pending).toMatchObject({ outcome: "denied" });
    expect(records().map(({ kind }) => kind)).toEqual(["start", "intent", "outcome", "end"]);
  });
});
