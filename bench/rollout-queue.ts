import { randomBytes } from "node:crypto";
import { openStore } from "../src/store/open.ts";
import type { RolloutQueue } from "../src/store/rollout-queue.ts";
import type { Attempt } from "../src/store/rollout-record.ts";
import type { RolloutSpan } from "../src/store/rollout-span.ts";
import type { FillBench } from "./suite.ts";

const spanCount = 10_000;
const inFlight = 32;

/** The queue that others use, embedded: spans in bulk, and the whole lives of rollouts, many at once. With FARADAY_TEST_POSTGRES there too. */
export async function fillQueue(bench: Parameters<FillBench>[0], resources: AsyncDisposableStack, baseDir: string) {
  const server = process.env.FARADAY_TEST_POSTGRES;
  const urls = {
    SQLite: "sqlite:queue.db",
    ...(server === undefined ? {} : { PostgreSQL: `${server}?schema=faraday_bench` }),
  };
  const amounts: Record<string, { count: number; unit: string }> = {};
  for (const [database, url] of Object.entries(urls)) {
    const store = resources.use(await openStore(url, { baseDir }));
    const bulk = `${spanCount} spans in bulk, ${database}`;
    let spans: readonly RolloutSpan[] = [];
    bench.add(bulk, () => store.addSpans(spans), {
      async: true,
      beforeEach: async () => {
        const { attempt } = await store.startRollout({ input: {} });
        spans = Array.from({ length: spanCount }, (_, index) => toolSpan(attempt, index));
      },
    });
    amounts[bulk] = { count: spanCount, unit: "span" };
    const lives = `${inFlight} rollouts at once from queue to end, ${database}`;
    bench.add(lives, () => Promise.all(Array.from({ length: inFlight }, (_, worker) => wholeLife(store, worker))), {
      async: true,
    });
    amounts[lives] = { count: inFlight, unit: "rollout" };
  }
  return amounts;
}

/** Queued, taken, five spans, succeeded: 8 requests. */
async function wholeLife(store: RolloutQueue, worker: number): Promise<void> {
  await store.enqueueRollout({ input: { question: "How many users are there?" } });
  const rollout = await store.dequeueRollout(`worker-${worker}`);
  if (rollout === null) throw new Error("there is a rollout for each worker");
  const { rollout_id, attempt } = rollout;
  for (let index = 0; index < 5; index++) await store.addSpan(toolSpan(attempt, index));
  await store.updateAttempt(rollout_id, attempt.attempt_id, { status: "succeeded" });
}

function toolSpan({ rollout_id, attempt_id }: Attempt, index: number): RolloutSpan {
  return {
    ...{ rollout_id, attempt_id, sequence_id: index + 1, trace_id: "0af7651916cd43dd8448eb211c80319c" },
    ...{ span_id: randomBytes(8).toString("hex"), parent_id: "b7ad6b7169203331", name: "execute_tool sql.query" },
    status: { status_code: "OK", description: null },
    attributes: { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "sql.query", "agent_os.step": index },
    ...{ events: [], links: [], start_time: 1_700_000_000.25, end_time: 1_700_000_000.5, context: null, parent: null },
    resource: { attributes: { "service.name": "agent" }, schema_url: "" },
  };
}
