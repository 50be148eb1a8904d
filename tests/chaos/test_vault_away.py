"""A vault that can't be used: what needs no key goes on, the rest waits, nothing fails for good."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from deploy.local.demo.account import Account, make_account, make_enterprise_account, once_planned
from deploy.local.demo.own_key import own_account
from deploy.local.ports import Ports
from deploy.local.servers.mlserver import MODEL_NAME
from deploy.local.servers.openbao import OpenBao
from deploy.local.supervisor import Supervisor
from deploy.vault import bootstrap
from libs.client import AsyncMannequin
from libs.client.errors import ApiError
from libs.client.retry import RetryPolicy
from tests.servers.having import demand, fresh_state
from tests.servers.photos import jpegs, numbered, zipped
from tests.servers.planted import planted

IMAGES = 4
OUTAGE_S = 60.0
READY_AGAIN_S = 60.0


@dataclass
class Trouble:
    """A way in which a vault can't be used, and how that ends."""

    begin: Callable[[OpenBao], Awaitable[None]]
    end: Callable[[OpenBao], Awaitable[None]]
    told: str
    lasts_s: float = 0.0


async def _seal(vault: OpenBao) -> None:
    await asyncio.to_thread(vault.root_client().sys.seal)


async def _end_tokens(vault: OpenBao) -> None:
    """Every token of the keyvault ends, and its logins are no longer good."""
    client = vault.root_client()
    for role in bootstrap.ROLES:
        bootstrap.withdraw(client, role)
    client.sys.revoke_prefix("auth/approle/login")


async def _new_logins(vault: OpenBao) -> None:
    client = vault.root_client()
    for role in bootstrap.ROLES:
        bootstrap.issue(client, role).write(vault.approles, role)


TROUBLES = {
    "sealed": Trouble(_seal, OpenBao.restart, "sealed"),
    "dead token": Trouble(_end_tokens, _new_logins, "log"),
    "down for a minute": Trouble(OpenBao.kill, OpenBao.restart, "nothing answers", OUTAGE_S),
}


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    """A system that nobody watches: what is broken stays broken until it is mended."""
    with fresh_state("vault-away") as state:
        made = Supervisor(state)
        made.vault = OpenBao(state, Ports(state.root / "ports.json"), open_to_operator=True)
        for server in made.servers.values():
            demand(server)
        asyncio.run(made.__aenter__())
        try:
            yield made
        finally:
            asyncio.run(made.__aexit__())


@asynccontextmanager
async def calling(account: Account, supervisor: Supervisor) -> AsyncIterator[AsyncMannequin]:
    async with AsyncMannequin(account.key.get_secret_value(), supervisor.addresses.api_url) as client:
        yield client


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", TROUBLES)
async def test_work_without_a_key_goes_on_and_the_rest_waits(
    name: str, supervisor: Supervisor, tmp_path: Path
) -> None:
    """And all of it is done once the vault is back, without anybody's doing."""
    trouble, archive = TROUBLES[name], tmp_path / "photos.zip"
    archive.write_bytes(zipped(numbered(jpegs(IMAGES))))
    plain_account = await make_account(supervisor.addresses, "without a key")
    own = await make_enterprise_account(supervisor.addresses, "with its own key")
    with fresh_state("own") as state:
        async with (
            own_account(state) as (server, key),
            calling(plain_account, supervisor) as plain,
            calling(own, supervisor) as keyed,
        ):
            credential = await _store(keyed, server.url, key)
            await trouble.begin(supervisor.vault)
            began = time.monotonic()
            reason = await _unready(supervisor)
            assert trouble.told in reason, reason

            waiting = await keyed.batches.process(archive)
            done = await plain.batches.wait((await plain.batches.process(archive)).id, timeout_s=60)
            assert done.counts.completed == IMAGES
            assert await _refusal(own, supervisor) == (503, "vault_unavailable")
            await _until(began + trouble.lasts_s)
            counts = (await keyed.batches.get(waiting.id)).counts
            assert (counts.completed, counts.failed, counts.total) == (0, 0, IMAGES)

            await trouble.end(supervisor.vault)
            ended = await keyed.batches.wait(waiting.id, timeout_s=READY_AGAIN_S)
            assert (ended.status, ended.counts.completed) == ("completed", IMAGES)
            assert (await keyed.credentials.get(credential)).health.state in ("healthy", "degraded")
            await _ready(supervisor)


async def _store(client: AsyncMannequin, url: str, key: SecretStr) -> str:
    """A key of the tenant's own server, and the policy that nothing else computes; its id."""
    settings = {"url": url, "model": MODEL_NAME}
    create = client.credentials.create
    stored = await once_planned(lambda: create("open-inference", "own", {"bearer": key}, settings=settings))
    await once_planned(lambda: client.routing_policy.set("byok_only"))
    return stored.id


async def _refusal(account: Account, supervisor: Supervisor) -> tuple[int, str]:
    """What somebody is told who brings a key now."""
    impatient = RetryPolicy(attempts=1)
    url = supervisor.addresses.api_url
    async with AsyncMannequin(account.key.get_secret_value(), url, retry=impatient) as client:
        with pytest.raises(ApiError) as refused:
            await _store(client, "http://127.0.0.1:9", SecretStr(planted()))
    return refused.value.status, refused.value.code


async def _readyz(supervisor: Supervisor) -> httpx.Response:
    url = f"http://127.0.0.1:{supervisor.addresses.health_ports['keyvault']}"
    async with httpx.AsyncClient(base_url=url) as client:
        answer = await client.get("/readyz")
        metrics = await client.get("/metrics")
    # What the alert looks at says the same as the probe of the orchestrator, which has just looked.
    assert f"mannequin_vault_ready {0.0 if answer.is_error else 1.0}" in metrics.text
    return answer


async def _unready(supervisor: Supervisor) -> str:
    """Why the key vault says that it is not ready, once it does."""
    async with asyncio.timeout(READY_AGAIN_S):
        while (answer := await _readyz(supervisor)).status_code != 503:
            await asyncio.sleep(0.1)
    return answer.text


async def _ready(supervisor: Supervisor) -> None:
    async with asyncio.timeout(READY_AGAIN_S):
        while (await _readyz(supervisor)).is_error:
            await asyncio.sleep(0.1)


async def _until(moment: float) -> None:
    """The length of the outage is the point of the test: nothing happens that could be waited for."""
    await asyncio.sleep(max(0.0, moment - time.monotonic()))
