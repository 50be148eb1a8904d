"""A consumer that takes one message, says so, and holds it until it is killed.

python -m tests.contract.bus.victim <namespace> <queue>        (the broker's URL in BUS_URL)
"""

from __future__ import annotations

import asyncio
import os
import sys

from pydantic import SecretStr

from libs.common.bus.bus import Delivery
from libs.common.bus.connect import adapter
from libs.common.bus.service_bus import Setup
from tests.contract.bus.messages import QUEUES, SERVICE


async def hold(delivery: Delivery) -> None:
    print("holding", flush=True)  # noqa: T201  what the parent waits for
    await asyncio.Event().wait()


async def main(namespace: str, name: str) -> None:
    bus = adapter(SecretStr(os.environ["BUS_URL"]), Setup(SERVICE, QUEUES, namespace=namespace))
    await bus.start()
    await bus.subscribe(next(queue for queue in QUEUES if queue.name == name), hold)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
