"""A secret that a tenant gave stands nowhere: no log line, message, trace, row or file has it.

One system lives a whole life here: keys stored, checked, refused, replaced, failed, rotated and erased, in
good requests and in wrong ones, with a tap on the bus, a collector of traces, and the vault killed meanwhile.
Then everything that it left behind is searched. What is no secret and was planted the same way is found
there, so the search would find a secret too.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
from pydantic import SecretStr

from deploy.local.demo.account import make_enterprise_account, once_planned
from deploy.local.ports import Ports
from deploy.local.servers.mlserver import MODEL_NAME, MlServer
from deploy.local.supervisor import Supervisor
from libs.client import AsyncMannequin
from libs.client.byok.models import Credential
from libs.client.errors import ApiError
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.credentials import EraseCredentials, RotateKey
from libs.common.contracts.ids import TenantId
from tests.servers import planted as search
from tests.servers.having import demand, fresh_state
from tests.servers.mlserver import mlserver
from tests.servers.photos import jpegs, numbered, zipped
from tests.servers.planted import leaks, planted
from tests.servers.witnesses import collector, tap

VISIBLE = "vIsIbLeLabEl"
TRACES = "MANNEQUIN_OTLP_ENDPOINT"


@dataclass
class Watched:
    """A system, its state folder, and what the witnesses write down in it."""

    supervisor: Supervisor
    folder: Path
    heard: Path
    traces: Path


@pytest.fixture(scope="module")
def own_server(ports: Ports) -> Iterator[MlServer]:
    yield from mlserver(ports)


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    """A system that tells all it can: debug logs, every trace, every message."""
    with ExitStack() as stack:
        state = stack.enter_context(fresh_state("planted"))
        made = Watched(Supervisor(state), state.root, state.root / "heard.bin", state.root / "traces.bin")
        for server in made.supervisor.servers.values():
            demand(server)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setitem(os.environ, TRACES, stack.enter_context(collector(made.traces)))
        patch.setitem(os.environ, "MANNEQUIN_LOG_LEVEL", "debug")
        asyncio.run(made.supervisor.__aenter__())
        stack.callback(lambda: asyncio.run(made.supervisor.__aexit__()))
        stack.enter_context(tap(made.supervisor.addresses.bus_url, made.heard))
        yield made


@pytest.mark.timeout(300)
async def test_a_planted_secret_is_found_nowhere(
    watched: Watched, own_server: MlServer, tmp_path: Path
) -> None:
    """After a life with everything that can happen to a key; and what is no secret is found."""
    archive = tmp_path / "photos.zip"
    archive.write_bytes(zipped(numbered(jpegs(3))))
    account = await make_enterprise_account(watched.supervisor.addresses, VISIBLE)
    url = watched.supervisor.addresses.api_url
    async with AsyncMannequin(account.key.get_secret_value(), url) as client:
        await _live(client, own_server, archive)
        await _be_wrong(client, url, account.headers)
    await _rotate_and_erase(watched.supervisor, account.tenant)
    await watched.supervisor.vault.kill()
    await watched.supervisor.vault.restart()
    rows = _rows(watched.supervisor)

    assert leaks(watched.folder) == []
    assert search.MARK not in rows
    for seen in (watched.heard.read_bytes(), watched.traces.read_bytes(), rows.encode()):
        assert len(seen) > 10_000
    assert VISIBLE in rows
    assert VISIBLE.encode() in watched.heard.read_bytes()


async def _live(client: AsyncMannequin, server: MlServer, archive: Path) -> None:
    """Stored, used, replaced, brought back, refused by its provider, switched off and on, and removed."""
    first, second = planted(), planted()
    credential = await _store(client, server, first)
    await client.routing_policy.set("byok_then_platform")
    await client.batches.wait((await client.batches.process(archive)).id, timeout_s=120)
    server.accept(second)
    await client.credentials.replace(credential.id, {"bearer": SecretStr(second)})
    await client.credentials.roll_back(credential.id)
    server.revoke(first)
    await client.batches.wait((await client.batches.process(archive)).id, timeout_s=120)
    await client.credentials.verify(credential.id)
    await client.credentials.disable(credential.id)
    await client.credentials.enable(credential.id)
    await client.credentials.list()
    await client.credentials.delete(credential.id)
    await _store(client, server, planted())


async def _store(client: AsyncMannequin, server: MlServer, key: str) -> Credential:
    server.accept(key)
    settings = {"url": server.url, "model": MODEL_NAME}
    create = client.credentials.create
    return await once_planned(
        lambda: create("open-inference", VISIBLE, {"bearer": SecretStr(key)}, settings=settings)
    )


async def _be_wrong(client: AsyncMannequin, url: str, headers: dict[str, str]) -> None:
    """Secrets in places where they do not belong, and in bodies that are refused."""
    with pytest.raises(ApiError):
        await client.credentials.create("open-inference", "wrong", {planted("name"): planted()})
    with pytest.raises(ApiError):
        await client.credentials.create("photoroom", "wrong", {"api_key": planted() + " \n"})
    async with httpx.AsyncClient(base_url=url, headers=headers) as http:
        bodies: list[object] = [
            {"provider": "open-inference", "label": "x", "secret": planted()},
            {"provider": "open-inference", "label": "x", "secret": {"bearer": [planted()]}},
            {"provider": "aws-sagemaker", "label": "x", "secret": {"secret_access_key": planted()}},
            {"provider": "google-vertex", "label": "x", "secret": {"service_account": "{" + planted()}},
            [planted()],
        ]
        for body in bodies:
            answer = await http.post("/api/v1/credentials", json=body)
            assert answer.status_code == 422, answer.text
            assert search.MARK not in answer.text
        broken = await http.post("/api/v1/credentials", content=b'{"secret": "' + planted().encode())
        assert broken.is_client_error
        assert search.MARK not in broken.text


async def _rotate_and_erase(supervisor: Supervisor, tenant: TenantId) -> None:
    bus = connect(supervisor.addresses.bus_url, flow.OPERATOR)
    await bus.start()
    try:
        await bus.request(RotateKey(), tenant=tenant, timeout=30)
        await bus.request(EraseCredentials(), tenant=tenant, timeout=30)
    finally:
        await bus.close()


def _rows(supervisor: Supervisor) -> str:
    """Every row of every table, as text; written to the disk before, so that the files have all of them."""
    tables = """
    select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')
    """
    with psycopg.connect(supervisor.postgres.url, autocommit=True) as connection:
        connection.execute("checkpoint")
        found = connection.execute(tables).fetchall()
        texts = [
            str(row[0])
            for (table,) in found
            for row in connection.execute(f"select t::text from {table} t").fetchall()
        ]
    return "\n".join(texts)
