import { z } from "zod";
import type { Syscall } from "../src/core/syscall.ts";
import { judgeBefore } from "../src/kernel/compose.ts";
import { KernelSpace } from "../src/kernel/kernel-space.ts";
import { BudgetPolicy } from "../src/kernel/policies/budget-policy.ts";
import { ToolsPolicy } from "../src/kernel/policies/tools-policy.ts";
import { seatsOf } from "../src/kernel/seats.ts";
import { ToolSet } from "../src/kernel/tool-set.ts";
import { episodeKey } from "./shipped-agent.ts";
import type { FillBench } from "./suite.ts";

const syscalls = 1000;

/**
 * What the kernel itself takes to decide and record a syscall: the driver behind it does nothing. Records are made with it, and
 * chained when they are sealed: once outside the measured part, and in one row within it.
 */
export const decision: FillBench = async (bench, resources) => {
  const kernel = resources.use(
    new KernelSpace({
      policies: [
        new BudgetPolicy({ syscalls: Number.MAX_SAFE_INTEGER }),
        new ToolsPolicy({
          rules: [
            { allow: "idle.*" },
            { allow: "bank.pay", when: { amount: { max: 100 }, to: { in: ["alice", "bob"] } } },
            { deny: "bank.close" },
          ],
        }),
      ],
    }),
  );
  await kernel.boot();
  const tools = new ToolSet()
    .register("pay", z.strictObject({ amount: z.number(), to: z.string() }), () => undefined)
    .register("close", z.strictObject({}), () => undefined);
  const drivers = { idle: { operations: { nothing: () => undefined } }, bank: tools };
  const session = resources.use(kernel.open({ episode: episodeKey(0), drivers }));
  const pay = { syscall: "bank.pay", args: { amount: 20, to: "alice" } };
  const amounts = {
    "a permitted syscall": { syscall: "idle.nothing", args: {} },
    "a registered tool, permitted by its arguments": pay,
    "a registered tool, denied": { syscall: "bank.close", args: {} },
    "an unknown syscall, denied": { syscall: "nobody.knows", args: {} },
  } satisfies Record<string, Syscall>;
  const make = (syscall: Syscall) => () => {
    for (let index = 0; index < syscalls; index++) session.execute(syscall);
  };
  for (const [name, syscall] of Object.entries(amounts))
    bench.add(name, make(syscall), { async: false, afterEach: () => void kernel.recorder.seal() });
  const sealed = "a registered tool, permitted, chained";
  const run = make(pay);
  bench.add(
    sealed,
    () => {
      run();
      kernel.recorder.seal();
    },
    { async: false },
  );
  const decided = "the decision on a registered tool alone";
  const seats = seatsOf(kernel.policies);
  const call = { ...pay, step: 0 };
  const decide = () => {
    for (let index = 0; index < syscalls; index++) judgeBefore(seats, call);
  };
  bench.add(decided, decide, { async: false });
  const amount = { count: syscalls, unit: "syscall" };
  return Object.fromEntries([decided, ...Object.keys(amounts), sealed].map((name) => [name, amount]));
};
