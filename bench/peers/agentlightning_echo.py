"""Agent Lightning's runner and store in memory, in one process: an agent that emits four spans and returns a reward, the fifth.

Prints a line of JSON: episodes a second over at least argv[1] seconds.
"""

import asyncio
import json
import logging
import sys
import time
from importlib.metadata import version

from agentlightning import LitAgent, LitAgentRunner, OtelTracer, emit_message
from agentlightning.store.memory import InMemoryLightningStore

CHUNK = 50


class Echo(LitAgent[str]):
    async def rollout_async(self, task, resources, rollout) -> float:
        for _ in range(4):
            emit_message(task)
        return 1.0


async def run(count: int) -> None:
    """As many episodes through a queue, from enqueued to ended."""
    store = InMemoryLightningStore()
    await store.add_resources({})
    runner = LitAgentRunner(tracer=OtelTracer(), max_rollouts=count, poll_interval=0.001, interval_jitter=0)
    for _ in range(count):
        await store.enqueue_rollout("echo")
    with runner.run_context(agent=Echo(), store=store):
        await runner.iter()
    ended = await store.query_rollouts(status_in=["succeeded"], limit=count)
    spans = await store.query_spans(ended[0].rollout_id)
    if len(ended) != count or len(spans) != 5:
        raise RuntimeError(f"expected {count} episodes of 5 spans, got {len(ended)} of {len(spans)}")


def main() -> None:
    logging.disable(logging.CRITICAL)
    asyncio.run(run(10))
    count, started = 0, time.perf_counter()
    while (seconds := time.perf_counter() - started) < float(sys.argv[1]):
        asyncio.run(run(CHUNK))
        count += CHUNK
    print(json.dumps({"perSecond": count / seconds, "version": version("agentlightning")}))


main()
