import { FlightRecorder } from "../src/kernel/flight-recorder.ts";
import { policySetHash } from "../src/kernel/policy-set-hash.ts";
import { episodeKey } from "./shipped-agent.ts";
import type { FillBench } from "./suite.ts";

const episodes = 256;
const recordsPerEpisode = 6;

const policies = policySetHash([]);
const syscall = { syscall: "sql.query", args: { sql: "SELECT COUNT(*) FROM users WHERE city='Vienna' AND age>30" } };

/** Recording episodes of two syscalls each, and sealing what they left: 1,536 records in one segment. */
export const recorder: FillBench = async (bench) => {
  const flight = new FlightRecorder({ worker: 1, epoch: 0 });
  const recordAll = () => {
    for (let index = 0; index < episodes; index++) recordEpisode(flight, index);
  };
  bench.add("record", recordAll, { async: false, afterEach: () => void flight.seal() });
  bench.add("seal", () => void flight.seal(), { async: false, beforeEach: recordAll });
  const amount = { count: episodes * recordsPerEpisode, unit: "record" };
  return { record: amount, seal: amount };
};

function recordEpisode(flight: FlightRecorder, index: number): void {
  const key = episodeKey(index);
  const record = flight.start(key, policies);
  for (let step = 0; step < 2; step++) {
    record.intent(step, syscall);
    record.outcome(step, { verdict: "allow", violations: [], outcome: "completed" });
  }
  record.end({ outcome: "completed", reward: 1, cost: 0 });
}
