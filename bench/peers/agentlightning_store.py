"""Serves Agent Lightning's own store in memory, and prints its address once it listens."""

import asyncio
import logging
import socket
import sys

from agentlightning.store.client_server import LightningStoreServer
from agentlightning.store.memory import InMemoryLightningStore


async def main() -> None:
    logging.disable(logging.CRITICAL)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = LightningStoreServer(InMemoryLightningStore(), "127.0.0.1", port, launch_mode="thread")
    await server.start()
    print(server.endpoint, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop()


asyncio.run(main())
