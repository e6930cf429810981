import { FlightRecorder } from "../src/kernel/flight-recorder.ts";
import { recordEpisodes, recordsPerEpisode } from "./recorded-episodes.ts";
import type { FillBench } from "./suite.ts";

const episodes = 256;

/** Recording episodes of two syscalls each, and sealing what they left: 1,536 records in one segment. */
export const recorder: FillBench = async (bench) => {
  const flight = new FlightRecorder({ worker: 1, epoch: 0 });
  const recordAll = () => recordEpisodes(flight, episodes);
  bench.add("record", recordAll, { async: false, afterEach: () => void flight.seal() });
  bench.add("seal", () => void flight.seal(), { async: false, beforeEach: recordAll });
  const amount = { count: episodes * recordsPerEpisode, unit: "record" };
  return { record: amount, seal: amount };
};
