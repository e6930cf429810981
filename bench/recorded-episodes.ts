import type { FlightRecorder } from "../src/kernel/flight-recorder.ts";
import { policySetHash } from "../src/kernel/policy-set-hash.ts";
import { episodeKey } from "./shipped-agent.ts";

/** Of two syscalls each: a start, two intents, two outcomes, an end. */
export const recordsPerEpisode = 6;

const policies = policySetHash([]);
const syscall = { syscall: "sql.query", args: { sql: "SELECT COUNT(*) FROM users WHERE city='Vienna' AND age>30" } };

export function recordEpisodes(flight: FlightRecorder, count: number): void {
  for (let index = 0; index < count; index++) recordEpisode(flight, index);
}

function recordEpisode(flight: FlightRecorder, index: number): void {
  const record = flight.start(episodeKey(index), policies);
  for (let step = 0; step < 2; step++) {
    record.intent(step, syscall);
    record.outcome(step, { verdict: "allow", violations: [], outcome: "completed" });
  }
  record.end({ outcome: "completed", reward: 1, cost: 0 });
}
