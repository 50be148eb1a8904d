"""The servers of the local system, run for real: what they keep, whom they refuse, what they leave behind."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import aio_pika
import nats
import psutil
import psycopg
import pytest
from aiormq.abc import FieldTable
from aiormq.exceptions import ProbableAuthenticationError
from pydantic import SecretStr

from deploy.local.ports import Ports
from deploy.local.servers.nats import Nats
from deploy.local.servers.postgres import Postgres
from deploy.local.servers.rabbitmq import RabbitMq
from deploy.local.servers.server import Server
from deploy.local.state import State
from tests.servers.having import demand, fresh_state

PASSWORD = SecretStr("a-password")


@pytest.fixture
def postgres(ports: Ports) -> Iterator[Postgres]:
    """A cluster of the test's own below a folder that only its owner may search, not started yet."""
    with fresh_state("private") as private:
        server = Postgres(State(private.root / "state"), ports.get("own-postgres"), PASSWORD)
        demand(server)
        yield server
        asyncio.run(server.stop())


@pytest.fixture
def nats_node(ports: Ports) -> Iterator[Nats]:
    """A NATS node of the test's own, not started yet."""
    with fresh_state("own-nats") as state:
        server = Nats(state, ports.get("own-nats"), PASSWORD)
        demand(server)
        yield server
        asyncio.run(server.stop())


async def test_postgres_keeps_what_it_committed_when_it_is_killed(postgres: Postgres) -> None:
    """A commit is on the disk."""
    await postgres.start()
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("create table kept as select 7 as number")
    await postgres.kill()
    await postgres.restart()
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("select number from kept").fetchone() == (7,)


async def test_postgres_refuses_a_wrong_password(postgres: Postgres) -> None:
    """Loopback is no proof of identity on a machine with other users."""
    await postgres.start()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url_for("postgres", SecretStr("wrong")))


async def test_postgres_never_runs_as_root(postgres: Postgres) -> None:
    """Root starts it as an unprivileged user, a plain user as themself."""
    await postgres.start()
    (pid,) = postgres.pids
    user = psutil.Process(pid).uids().real
    assert user != 0
    assert os.geteuid() in (0, user)


async def test_postgres_starts_although_its_old_number_belongs_to_another_process(postgres: Postgres) -> None:
    """After a crash its pid file may name a stranger of the same user."""
    await postgres.start()
    user = psutil.Process(postgres.pids[0]).uids().real
    await postgres.kill()
    pid_file = postgres.data_folder / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    with _sleeping(user) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]))
        await postgres.start()
        assert stranger.poll() is None


async def test_postgres_starts_over_after_a_first_start_that_was_cut_short(postgres: Postgres) -> None:
    """Half a cluster is not taken for a whole one."""
    draft = postgres.data_folder.with_name("draft")
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    await postgres.start()
    with psycopg.connect(postgres.url) as connection:
        assert connection.info.dbname == "mannequin"


async def test_nats_keeps_what_it_acknowledged_when_it_is_killed(nats_node: Nats) -> None:
    """An acknowledged message outlives the process that acknowledged it."""
    await nats_node.start()
    client = await nats.connect(nats_node.url)
    await client.jetstream().add_stream(name="kept", subjects=["kept"])
    await client.jetstream().publish("kept", b"a fact")
    await client.close()
    await nats_node.kill()
    await nats_node.restart()
    client = await nats.connect(nats_node.url)
    message = await client.jetstream().get_msg("kept", 1)
    await client.close()
    assert message.data == b"a fact"


async def test_nats_refuses_strangers(nats_node: Nats) -> None:
    """No connection without the password."""
    await nats_node.start()
    address = urlsplit(nats_node.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(b'CONNECT {"verbose":false,"user":"mannequin","pass":"wrong"}\r\nPING\r\n')
    greeting, answer = await reader.readline(), await reader.readline()
    writer.close()
    await writer.wait_closed()
    assert greeting.startswith(b"INFO")
    assert answer.startswith(b"-ERR 'Authorization Violation'")


async def test_rabbitmq_keeps_what_it_confirmed_when_it_is_killed(rabbitmq_server: RabbitMq) -> None:
    """A confirmed message in a quorum queue is on the disk."""
    quorum: FieldTable = {"x-queue-type": "quorum"}
    async with await aio_pika.connect(rabbitmq_server.url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("kept", durable=True, arguments=quorum)
        message = aio_pika.Message(b"a fact", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, queue.name)
    await _until_written(rabbitmq_server, queue.name)
    await rabbitmq_server.kill()
    await rabbitmq_server.restart()
    async with await aio_pika.connect(rabbitmq_server.url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("kept", durable=True, arguments=quorum)
        kept = await queue.get(no_ack=True, timeout=10)
        await queue.delete(if_unused=False, if_empty=False)
    assert kept.body == b"a fact"


async def test_rabbitmq_refuses_its_well_known_guest(rabbitmq_server: RabbitMq) -> None:
    """The user that every RabbitMQ ships with is not there."""
    address = rabbitmq_server.url.partition("@")[2]
    with pytest.raises(ProbableAuthenticationError):
        await aio_pika.connect(f"amqp://guest:guest@{address}")


async def test_rabbitmq_has_its_name_server_among_its_own_processes(rabbitmq_server: RabbitMq) -> None:
    """Erlang would start epmd as a daemon that nothing ever stops."""
    names = [psutil.Process(pid).name() for pid in rabbitmq_server.pids]
    assert names[0].startswith("beam")
    assert names[1] == "epmd"


@pytest.mark.parametrize("kind", ["postgres", "nats_node"])
async def test_a_server_leaves_no_process_behind(kind: str, request: pytest.FixtureRequest) -> None:
    """Stop without start is fine, so is stop twice, and its workers end with it."""
    server: Server = request.getfixturevalue(kind)
    await server.stop()
    await server.start()
    family = [one for pid in server.pids for one in _with_children(pid)]
    await server.stop()
    await server.stop()
    assert family
    assert not [one for one in family if one.is_running()]


@contextmanager
def _sleeping(user: int) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["/bin/sleep", "1000"], user=user if os.geteuid() == 0 else None) as process:
        try:
            yield process
        finally:
            process.kill()


def _with_children(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


async def _until_written(server: RabbitMq, queue: str) -> None:
    """A new quorum queue is entered in ra's directory, which reaches the disk some seconds later.

    A node that is killed before then knows the queue again, but not where its messages are.
    """
    (directory,) = server.folder.glob("mnesia/*/quorum/*/names.dets")
    async with asyncio.timeout(15):
        while queue.encode() not in directory.read_bytes():
            await asyncio.sleep(0.1)
