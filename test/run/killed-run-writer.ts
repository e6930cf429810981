import { openRunStore } from "../../src/run/store-thread.ts";
import { Recorder } from "../store/recorder.ts";
import { sampleBatch } from "../store/samples.ts";

// A program of its own: stores a batch in the directory it is given, then dies without closing anything.
const store = await openRunStore("sqlite:faraday.db", { baseDir: process.argv[2] ?? "." });
await store.storeBatch(sampleBatch(new Recorder(1)));
process.kill(process.pid, "SIGKILL");
