import type { Syscall } from "../src/core/syscall.ts";
import { KernelSpace } from "../src/kernel/kernel-space.ts";
import { BudgetPolicy } from "../src/kernel/policies/budget-policy.ts";
import { episodeKey } from "./shipped-agent.ts";
import type { FillBench } from "./suite.ts";

const syscalls = 1000;

/** What the kernel itself takes to decide and record a syscall: the driver behind it does nothing. */
export const decision: FillBench = async (bench, resources) => {
  const kernel = resources.use(new KernelSpace({ policy: new BudgetPolicy({ syscalls: Number.MAX_SAFE_INTEGER }) }));
  await kernel.boot();
  const session = resources.use(
    kernel.open({ episode: episodeKey(0), drivers: { idle: { operations: { nothing: () => undefined } } } }),
  );
  const amounts = {
    "a permitted syscall": { syscall: "idle.nothing", args: {} },
    "an unknown syscall, denied": { syscall: "nobody.knows", args: {} },
  } satisfies Record<string, Syscall>;
  for (const [name, syscall] of Object.entries(amounts)) {
    const run = () => {
      for (let index = 0; index < syscalls; index++) session.execute(syscall);
    };
    bench.add(name, run, { async: false, afterEach: () => void kernel.recorder.seal() });
  }
  const amount = { count: syscalls, unit: "syscall" };
  return Object.fromEntries(Object.keys(amounts).map((name) => [name, amount]));
};
