"""Fixtures of every tier: real servers, started when first asked for and stopped at the end."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from deploy.local.ports import Ports
from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from deploy.local.servers.postgres import Postgres
from deploy.local.servers.rabbitmq import RabbitMq
from deploy.local.supervisor import Supervisor
from libs.common.db.migrate import migrate
from tests.servers import databases
from tests.servers.counted import summary
from tests.servers.databases import PASSWORDS, TestDatabase
from tests.servers.having import demand, fresh_state, having
from tests.servers.system import System


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """A shell that starts the tests in the background has them, and all their children, ignore Ctrl-C."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def ports() -> Ports:
    """Free loopback ports, each given out once."""
    return Ports()


@pytest.fixture(scope="session")
def nats_server(ports: Ports) -> Iterator[Nats]:
    """One NATS server for all tests."""
    with fresh_state("nats") as state:
        yield from having(Nats(state, ports.get("nats"), SecretStr("nats-password"), durable=False))


@pytest.fixture(scope="session")
def rabbitmq_server(ports: Ports) -> Iterator[RabbitMq]:
    """One RabbitMQ server for all tests."""
    with fresh_state("rabbitmq") as state:
        yield from having(RabbitMq(state, ports, SecretStr("rabbitmq-password")))


@pytest.fixture(scope="session")
def postgres_server(ports: Ports) -> Iterator[Postgres]:
    """One PostgreSQL cluster for all tests, whose database `mannequin` has the schema."""
    with fresh_state("postgres") as state:
        server = Postgres(state, ports.get("postgres"), SecretStr("postgres-password"), durable=False)
        for running in having(server):
            asyncio.run(migrate(running.url, PASSWORDS))
            yield running


@pytest.fixture(scope="session")
def vault_server(ports: Ports) -> Iterator[OpenBao]:
    """One OpenBao for all tests, made ready for the platform, a login for each role in `approles`."""
    with fresh_state("openbao") as state:
        yield from having(OpenBao(state, ports, open_to_operator=True))


@pytest.fixture(scope="module")
def database(postgres_server: Postgres, request: pytest.FixtureRequest) -> TestDatabase:
    """A database with the schema and no rows, for this module alone."""
    name = re.sub(r"\W", "_", request.node.name.removesuffix(".py"))[-50:].lower()
    return databases.copy(postgres_server, SecretStr("postgres-password"), name)


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """The whole system on NATS, for tests that look at it from outside."""
    with fresh_state("system") as state:
        supervisor = Supervisor(state)
        for server in supervisor.servers.values():
            demand(server)
        asyncio.run(supervisor.__aenter__())
        try:
            yield System(supervisor)
        finally:
            asyncio.run(supervisor.__aexit__())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many cases the matrices tried, as a matrix that shrank is no longer one."""
    if told := summary():
        terminalreporter.write_line(f"cases tried: {told}")
