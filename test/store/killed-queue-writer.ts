import { openStore } from "../../src/store/open.ts";

// A program of its own: queues rollouts and tells of each once it is stored, until it is killed.
const [url = "", baseDir = "."] = process.argv.slice(2);
const store = await openStore(url, { baseDir });
await Promise.all(
  Array.from({ length: 8 }, async () => {
    while (true) {
      const { rollout_id } = await store.enqueueRollout({ input: { text: "x".repeat(500) } });
      process.stdout.write(`${rollout_id}\n`);
    }
  }),
);
