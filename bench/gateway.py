"""What the gateway adds to an authenticated request, at 200 and at 1,000 requests a second.

Requests leave at their time whether or not earlier ones were answered (an open loop), so that a slow answer
is not hidden by the wait for it. `overhead` is a request that the gateway answers by itself: the connection,
the key, the rate limit, the route, the answer. `asking` is one that asks the batch service as well.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from dataclasses import dataclass
from typing import cast

import httptools
import uvloop

from bench.line import line
from deploy.local.demo.account import make_account
from deploy.local.supervisor import Bus

RATES = (200, 1000)
SECONDS = 10.0
PATHS = {"overhead": "/api/v1/credential-providers", "asking": "/api/v1/batches?limit=1"}
_CONNECTIONS = 64
_UNLIMITED = {"GATEWAY_RATE_PER_S": "100000", "GATEWAY_BURST": "100000"}


async def run() -> dict[str, float]:
    figures: dict[str, float] = {}
    os.environ.update(_UNLIMITED)
    try:
        async with line(Bus.NATS) as running:
            addresses = running.system.addresses
            account = await make_account(addresses, "bench")
            for name, path in PATHS.items():
                for rate in RATES:
                    waits = await _in_a_process(
                        addresses.gateway_port, path, account.key.get_secret_value(), rate
                    )
                    figures |= _quantiles(f"{name}_ms", rate, waits)
    finally:
        for name in _UNLIMITED:
            os.environ.pop(name)
    return figures


def _quantiles(name: str, rate: int, waits: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(waits, n=100)
    return {f"{name}_p50_at_{rate}": cuts[49] * 1000, f"{name}_p99_at_{rate}": cuts[98] * 1000}


async def _in_a_process(port: int, path: str, key: str, rate: int) -> list[float]:
    """The caller is no part of the system: it runs by itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.gateway",
        str(port),
        path,
        str(rate),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(key.encode())
    if process.returncode:
        raise RuntimeError("the caller failed")
    return [float(wait) for wait in output.split()]


@dataclass(eq=False)
class _Connection(asyncio.Protocol):
    """One kept-alive connection; a request at a time."""

    request: bytes
    transport: asyncio.Transport | None = None
    answered: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._parser = httptools.HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        if self.answered is not None and not self.answered.done():
            self.answered.set_result(self._parser.get_status_code())

    async def ask(self) -> None:
        assert self.transport is not None
        self.answered = asyncio.get_running_loop().create_future()
        self.transport.write(self.request)
        if (status := await self.answered) != 200:
            raise RuntimeError(f"the gateway answered {status}")


async def _call(port: int, path: str, key: str, rate: int) -> list[float]:
    """Seconds from when each request was due until its answer was there."""
    head = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    idle: asyncio.Queue[_Connection] = asyncio.Queue()
    for _ in range(_CONNECTIONS):
        idle.put_nowait((await loop.create_connection(lambda: _Connection(head), "127.0.0.1", port))[1])
    waits: list[float] = []

    async def one(due: float) -> None:
        connection = await idle.get()
        await connection.ask()
        idle.put_nowait(connection)
        waits.append(time.perf_counter() - due)

    warming_up = [one(time.perf_counter()) for _ in range(_CONNECTIONS)]
    await asyncio.gather(*warming_up)
    waits.clear()
    began = time.perf_counter()  # a loop of uvloop tells whole milliseconds
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * SECONDS)):
            due = began + number / rate
            await asyncio.sleep(due - time.perf_counter())
            group.create_task(one(due))
    return waits


if __name__ == "__main__":
    print(*uvloop.run(_call(int(sys.argv[1]), sys.argv[2], sys.stdin.read().strip(), int(sys.argv[3]))))
