import fc from "fast-check";
import { expect, it } from "vitest";
import { recordsOf } from "../../src/audit/audit-records.ts";
import { type EpisodeAuditRecord, eachCall } from "../../src/core/audit.ts";
import { KernelSpace } from "../../src/kernel/kernel-space.ts";
import { episodeKey } from "./shop-kernel.ts";

const acts = fc.constantFrom("fine", "other", "warned", "denied", "fails", "later", "unknown", "signal", "seal");

const driver = {
  operations: {
    fine: () => 1,
    denied: () => 0,
    other: () => "é",
    warned: () => 2,
    fails: () => {
      throw new Error("no");
    },
    later: () => Promise.resolve(3),
  },
};

/** What two episodes side by side leave in the record. */
async function recorded(script: readonly (readonly [number, string])[], together: boolean) {
  const rules = [{ deny: ["t.denied"] }, { warn: ["t.warned"] }, { allow: ["t.*"] }];
  const kernel = new KernelSpace({ policies: [{ type: "tools", rules }] });
  await kernel.boot({ worker: 1, together });
  const sessions = [0, 1].map((index) => kernel.open({ episode: episodeKey(index), drivers: { t: driver } }));
  const segments = [];
  for (const [episode, act] of script) {
    const session = sessions[episode] as (typeof sessions)[number];
    if (act === "seal") segments.push(kernel.recorder.seal());
    else if (act === "signal") session.signal("SIGSTOP") && session.signal("SIGCONT");
    else await session.execute({ syscall: `t.${act}`, args: { act, ключ: [1, null] } });
  }
  for (const session of sessions) session.close();
  segments.push(kernel.recorder.seal());
  return segments.flatMap((segment) => recordsOf(segment)) as EpisodeAuditRecord[];
}

/** The records of each episode, without their places in the log. */
function toldOf(records: readonly EpisodeAuditRecord[]) {
  const each = records.flatMap((record) =>
    record.kind === "calls" ? eachCall(record).flatMap(({ intent, outcome }) => [intent, outcome]) : [record],
  );
  return Object.groupBy(
    each.map(({ sequence: _, previous: __, ...told }) => told),
    ({ episode }) => episode,
  );
}

it("calls that are recorded together say what each by itself would, episode by episode", async () => {
  let saved = 0;
  const script = fc.array(fc.tuple(fc.nat(1), acts), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(script, async (given) => {
      const [each, together] = [await recorded(given, false), await recorded(given, true)];
      expect(toldOf(together)).toEqual(toldOf(each));
      saved += each.length - together.length;
    }),
    { numRuns: 200 },
  );
  expect(saved).toBeGreaterThan(0);
});

it("a syscall that is pending has its intent on record before its effect, and a row of calls has a bound", async () => {
  const kernel = new KernelSpace();
  await kernel.boot({ worker: 1, together: true });
  let answer: (value: number) => void = () => {};
  const waits = { operations: { wait: () => new Promise<number>((resolve) => (answer = resolve)), go: () => 0 } };
  const session = kernel.open({ episode: episodeKey(0), drivers: { t: waits } });
  const pending = session.execute({ syscall: "t.wait", args: {} });
  expect(recordsOf(kernel.recorder.seal()).map(({ kind }) => kind)).toEqual(["start", "intent"]);
  answer(1);
  await pending;
  for (let step = 0; step < 2_500; step++) session.execute({ syscall: "t.go", args: { step } });
  session.close();
  const records = recordsOf(kernel.recorder.seal());
  expect(records.map(({ kind }) => kind)).toEqual(["outcome", "calls", "calls", "calls", "end"]);
  expect(records.map((record) => (record.kind === "calls" ? record.step : null))).toEqual([null, 1, 1001, 2001, null]);
});
