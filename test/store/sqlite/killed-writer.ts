import { openStore } from "../../../src/store/open.ts";
import { Recorder } from "../recorder.ts";
import { sampleBatch } from "../samples.ts";

// A program of its own: stores a batch in the directory it is given, then dies without closing anything.
const store = await openStore("sqlite:faraday.db", { baseDir: process.argv[2] ?? "." });
await store.beginRun({ id: "run-1", config: {} });
await store.storeBatch(sampleBatch(new Recorder(1)));
process.kill(process.pid, "SIGKILL");
