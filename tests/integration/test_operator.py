"""The platform's own people at a command line, on real services."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from libs.client.cli.main import app
from libs.client.cli.session import Exit
from libs.common.contracts.ids import BatchId, TenantId
from libs.common.contracts.routing import RenderedOn
from libs.common.lifecycle import Lifecycle
from services.tenants.settings import TenantsSettings
from services.tenants.wiring import wire
from tests.integration.keyvault_desk import Desk, at_desk, until
from tests.servers.databases import TestDatabase
from tests.servers.planted import MARK


@dataclass
class Operator:
    """Somebody at a terminal beside the services, which run on in the meantime."""

    environment: dict[str, str]

    async def run(self, *args: str, status: int = 0, keys: str | None = None) -> str:
        """What the command answers, which has to end so. keys: what is typed when it asks."""
        call = partial(CliRunner().invoke, app, args, env=self.environment, input=keys)
        result = await asyncio.to_thread(call)
        assert result.exit_code == status, f"{args}: {result.exit_code}\n{result.output}"
        return result.stdout

    async def answer(self, *args: str) -> Any:
        return json.loads(await self.run(*args, "--json"))


@pytest.fixture
async def desk(database: TestDatabase, nats_server: Nats, vault_server: OpenBao) -> AsyncIterator[Desk]:
    settings = TenantsSettings(
        bus_url=SecretStr(nats_server.url),
        database_url=database.url("tenants"),
        platform_database_url=database.url("tenants_platform"),
    )
    lifecycle = Lifecycle()
    async with at_desk(database, nats_server, vault_server) as desk:
        try:
            await wire(settings, lifecycle)
            yield desk
        finally:
            await lifecycle.close()


@pytest.fixture
def operator(nats_server: Nats) -> Operator:
    return Operator({"MANNEQUIN_BUS_URL": nats_server.url, "COLUMNS": "240"})


async def test_what_a_tenant_bought_reaches_the_vault(desk: Desk, operator: Operator) -> None:
    """All of the plan is said each time; what is not said is not in it."""
    tenant = (await operator.run("tenants", "create", "Shop")).strip()
    command = ("tenants", "plan", tenant, "--byok", "--fallback", "--fallback-cap", "99.90", "--name", "gold")
    plan = (await operator.answer(*command))["plan"]
    assert plan == {"name": "gold", "byok": True, "fallback": True, "fallback_monthly_cap": "99.9"}
    listed = await operator.run("tenants", "list")
    assert "gold, own keys, fallback up to 99.90 USD a month" in listed

    async def known(byok: bool) -> bool:
        rows = await desk.rows("select byok from plans where tenant_id = $1", tenant)
        return [row["byok"] for row in rows] == [byok]

    await until(partial(known, True))
    await operator.run("tenants", "plan", tenant)
    await until(partial(known, False))


async def test_a_plan_that_says_nothing_sensible_is_refused(desk: Desk, operator: Operator) -> None:
    """A cap without fallback, a negative one, and a tenant that is not there."""
    tenant = TenantId.new()
    await operator.run("tenants", "plan", tenant, "--byok", "--fallback-cap", "5", status=Exit.USAGE)
    await operator.run("tenants", "plan", tenant, "--fallback", "--fallback-cap", "-5", status=Exit.USAGE)
    await operator.run("tenants", "plan", tenant, "--byok", status=Exit.NOT_FOUND)


async def test_a_key_is_rotated_and_the_audit_shows_it(desk: Desk, operator: Operator) -> None:
    """With who did it; no secret is in it."""
    made = await desk.create()
    done = await operator.run("vault", "rotate", desk.tenant)
    assert "version 2; 1 of 1 ciphertexts rewrapped; versions before 2 are refused" in done
    audit = await operator.run("vault", "audit", desk.tenant)
    assert all(word in audit for word in ("credential.created", "key.rotation_ended", made.id, "operator"))
    assert MARK not in audit
    page = await operator.answer("vault", "audit", desk.tenant, "--limit", "2")
    rest = await operator.answer("vault", "audit", desk.tenant, "--cursor", page["next_cursor"])
    assert len(page["items"]) == 2
    assert rest["items"][-1]["action"] == "credential.created"


async def test_erasing_asks_first(desk: Desk, operator: Operator) -> None:
    """And prints the certificate, once somebody said yes."""
    made = await desk.create()
    await operator.run("vault", "erase", desk.tenant, keys="n\n", status=Exit.REFUSED)
    assert (await desk.get(made.id)).enabled
    certificate = await operator.answer("vault", "erase", desk.tenant, "--yes")
    assert json.loads(certificate["statement"])["tenant"] == desk.tenant
    again = await operator.run("vault", "erase", desk.tenant, keys="y\n")
    assert json.loads(again[again.index("{") :])["signature"]


async def test_images_without_a_lease_are_shown_and_end_the_command_so(
    desk: Desk, operator: Operator
) -> None:
    """For whoever runs it by the clock; a lease that came to nothing is shown and is no fault."""
    reconcile = ("vault", "reconcile", desk.tenant)
    assert "0 leases, 0 images" in await operator.run(*reconcile, "--days", "7")
    made, batch = await desk.create(), BatchId.new()
    await desk.rows(
        "insert into leases (tenant_id, id, credential_id, version, purpose, batch_id, worker, expires_at) "
        "values ($1, 'lse_1', $2, 1, 'render', $3, 'worker', now())",
        desk.tenant,
        made.id,
        batch,
    )
    unused = await operator.run(*reconcile)
    assert "1 leases, 0 images, 1 batches" in unused
    assert batch in unused
    desk.heard.charged.append(RenderedOn(batch_id=BatchId.new(), credential_id=made.id, images=3))
    assert "1 leases, 3 images, 2 batches" in await operator.run(*reconcile, status=Exit.SOME_FAILED)
