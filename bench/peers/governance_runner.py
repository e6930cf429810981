"""The Agent Governance Toolkit's runner for Agent Lightning over its stateless kernel: one permitted action a step.

Prints a line of JSON: decisions a second over at least argv[1] seconds.
"""

import asyncio
import json
import logging
import sys
import time
from importlib.metadata import version

from agent_lightning_gov import GovernedRunner
from agent_os import ExecutionContext, StatelessKernel

CHUNK = 200


class Kernel:
    """What the runner asks of a kernel, by the one that the toolkit ships."""

    def __init__(self) -> None:
        self._kernel = StatelessKernel()
        self._context = ExecutionContext(agent_id="agent", policies=["read_only", "no_pii"])

    async def execute_async(self, agent, task):
        result = await self._kernel.execute("bank.pay", {"amount": 20, "to": "alice"}, self._context)
        if not result.success:
            raise RuntimeError(f"expected a permitted action, got {result.error}")
        return await agent(task)


async def nothing(task):
    return task


async def measure(seconds_least: float) -> float:
    runner = GovernedRunner(Kernel())
    runner.init(nothing)

    async def chunk() -> int:
        for index in range(CHUNK):
            if not (await runner.step(index)).success:
                raise RuntimeError("expected a step that succeeds")
        return CHUNK

    await chunk()
    count, started = 0, time.perf_counter()
    while (seconds := time.perf_counter() - started) < seconds_least:
        count += await chunk()
    return count / seconds


def main() -> None:
    logging.disable(logging.CRITICAL)
    per_second = asyncio.run(measure(float(sys.argv[1])))
    print(json.dumps({"perSecond": per_second, "version": version("agentmesh-lightning")}))


main()
