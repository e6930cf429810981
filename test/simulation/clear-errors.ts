import type { Fault } from "./faults.ts";
import type { Simulation } from "./simulation.ts";

const ofWorkers = ["boot", "reset", "step", "reply", "task"];

/** What a process may say when it fails, and the beginnings of the faults that are a reason for it. */
const reasons: readonly (readonly [RegExp, readonly string[]])[] = [
  [/could not boot, and none is tried again \(retries\.boots\): a worker failed: ./, ["boot"]],
  [/^no episode of a batch came back from the workers: a worker failed: ./, ofWorkers],
  [/^task \S+ ended \d+ workers, and retries\.onQuarantine is stop; the last: ./, ofWorkers],
  [/^the audit segment of worker \d+, epoch \d+ from \d+ /, ["reply-has-other-records"]],
  [/^no gradient came back in 3 attempts: a worker failed: ./, ["gradient"]],
  [/^the gradient of iteration \d+ is not of finite numbers/, ["gradient-has-nan"]],
  [/^store: ./, ["store-busy", "store-full", "store-loses-answer"]],
  [/^the store has not .* within \d+ ms \(deadlines\.storeMs\)/, ["store-hangs"]],
];

/** Every process that failed says why, and that is something that did go wrong. */
export function unclearErrors({ ends, scenario }: Simulation): string[] {
  const happened: readonly Fault[] = [...scenario.happened.keys()];
  const isClear = (message: string) =>
    reasons.some(
      ([pattern, causes]) =>
        pattern.test(message) && causes.some((cause) => happened.some((fault) => fault.startsWith(cause))),
    );
  return ends
    .filter(({ how, message }) => how === "failed" && !isClear(message))
    .map(({ message }) => `a process failed with: ${message}`);
}
