"""A broker for each adapter, and buses on it that are closed after the test."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr

from deploy.local.servers.server import Server
from libs.common.bus.bus import Bus
from libs.common.bus.connect import adapter, standard
from libs.common.bus.service_bus import Limits, Setup
from libs.common.contracts.flow import Queue, Service
from tests.contract.bus.messages import QUEUES, SERVICE
from tests.contract.bus.probes import NatsProbe, Probe, RabbitMqProbe
from tests.contract.bus.proxy import Proxy
from tests.contract.bus.waiting import LIMIT_S

LIMITS = Limits(start_s=10, publish_s=10, drain_s=1)


@dataclass
class Broker:
    """A running server, and a namespace on it that this test has for itself."""

    server: Server
    namespace: str = field(default_factory=lambda: f"t{secrets.token_hex(4)}")
    buses: list[Bus] = field(default_factory=list)

    @property
    def probe(self) -> Probe:
        kind = NatsProbe if self.server.name == "nats" else RabbitMqProbe
        return kind(self.server.url, self.namespace)

    def bus(self, service: Service = SERVICE, limits: Limits = LIMITS, over: Proxy | None = None) -> Bus:
        """A bus that is not started."""
        setup = Setup(service, QUEUES, standard(), self.namespace, limits)
        self.buses.append(adapter(SecretStr((over or self.server).url), setup))
        return self.buses[-1]

    async def join(
        self, service: Service = SERVICE, limits: Limits = LIMITS, over: Proxy | None = None
    ) -> Bus:
        """A started bus: one more instance of the service."""
        bus = self.bus(service, limits, over)
        await bus.start()
        return bus

    async def kill_a_consumer(self, queue: Queue) -> None:
        """Let another process take one message of the queue, and kill it with the message in hand."""
        victim = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.contract.bus.victim", self.namespace, queue.name),
            env={**os.environ, "BUS_URL": self.server.url},
            stdout=asyncio.subprocess.PIPE,
        )
        assert victim.stdout is not None
        try:
            async with asyncio.timeout(LIMIT_S):
                assert await victim.stdout.readline() == b"holding\n"
        finally:
            victim.kill()
            await victim.wait()


@pytest.fixture(params=["nats", "rabbitmq"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each test runs once for each broker."""
    server: Server = request.getfixturevalue(f"{request.param}_server")
    return server


@pytest.fixture
async def broker(server: Server) -> AsyncIterator[Broker]:
    """The broker of this run, and what the test does there."""
    broker = Broker(server)
    yield broker
    await asyncio.gather(*(bus.close() for bus in broker.buses))


@pytest.fixture
async def line(server: Server) -> AsyncIterator[Proxy]:
    """A line to the broker that can be cut."""
    proxy = Proxy(server.url)
    await proxy.mend()
    yield proxy
    await proxy.cut()


@pytest.fixture
async def bus(broker: Broker) -> Bus:
    """One instance of the service."""
    return await broker.join()
