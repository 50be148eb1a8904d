"""The platform's own people at a command line, on real services."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
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
async def desk(
    database: TestDatabase, nats_server: Nats, vault_server: OpenBao, tmp_path: Path
) -> AsyncIterator[Desk]:
    settings = TenantsSettings(
        bus_url=SecretStr(nats_server.url),
        database_url=database.url("tenants"),
        platform_database_url=database.url("tenants_platform"),
        objects_url=SecretStr(tmp_path.as_uri()),
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
    bought = ("name", "byok", "fallback", "fallback_monthly_cap", "sso")
    assert [plan[name] for name in bought] == ["gold", True, True, "99.9", False]
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


async def test_a_tenant_begins_on_a_plan_at_a_host_of_its_own(desk: Desk, operator: Operator) -> None:
    """Found by what is known of it; shown with its limits and prices, and changed."""
    command = (
        "tenants",
        "create",
        "Maison",
        "--plan",
        "saas",
        "--slug",
        "maison",
        "--contact",
        "it@m.example",
    )
    tenant = (await operator.run(*command)).strip()
    shown = await operator.answer("tenants", "show", tenant)
    assert (shown["plan_code"], shown["slug"], shown["contact_email"]) == ("saas", "maison", "it@m.example")
    assert "10,000 images a month" in await operator.run("tenants", "show", tenant)
    await operator.run("tenants", "create", "Other", "--slug", "maison", status=Exit.REFUSED)
    await operator.run("tenants", "create", "Other", "--plan", "none-such", status=Exit.NOT_FOUND)
    await operator.run("tenants", "change", tenant, "--name", "Étoile", "--slug", "etoile")
    listed = await operator.answer("tenants", "list", "--name", "éto", "--plan", "saas", "--status", "active")
    assert [one["id"] for one in listed["items"]] == [tenant]
    terms = ("--set", "quotas.images_month=none", "--set", "prices.monthly=450.50")
    changed = await operator.answer("tenants", "plan", tenant, "--code", "enterprise", *terms)
    assert (changed["plan"]["quotas"]["images_month"], changed["plan"]["prices"]["monthly"]) == (
        None,
        "450.50",
    )
    await operator.run("tenants", "plan", tenant, "--code", "saas", "--set", "beer", status=Exit.USAGE)
    await operator.run("tenants", "plan", tenant, "--code", "saas", "--set", "beer=1", status=Exit.REFUSED)
    await operator.run("tenants", "plan", tenant, "--code", "saas", "--byok", status=Exit.USAGE)


async def test_a_tenant_is_suspended_and_resumed(desk: Desk, operator: Operator) -> None:
    """With the reason, which is needed."""
    tenant = (await operator.run("tenants", "create", "Shop")).strip()
    await operator.run("tenants", "suspend", tenant, status=Exit.USAGE)
    assert "suspended: unpaid" in await operator.run("tenants", "suspend", tenant, "--reason", "unpaid")
    assert "suspended - unpaid" in await operator.run("tenants", "show", tenant)
    assert "is active" in await operator.run("tenants", "resume", tenant)


async def test_a_plan_is_defined_step_by_step_and_retired(desk: Desk, operator: Operator) -> None:
    """From another one, then as it is; its tenants have it a moment later."""
    terms = ("--set", "sso=true", "--set", "quotas.members=7", "--description", "For some.")
    made = await operator.answer("plans", "define", "silver", "--base", "saas", *terms)
    assert (made["plan"]["name"], made["plan"]["sso"], made["description"]) == ("silver", True, "For some.")
    assert made["plan"]["quotas"]["images_month"] == 10_000
    tenant = (await operator.run("tenants", "create", "Shop", "--plan", "silver")).strip()
    changed = await operator.answer("plans", "define", "silver", "--set", "quotas.members=9")
    assert (changed["revision"], changed["plan"]["sso"], changed["description"]) == (2, True, "For some.")

    async def has_it() -> bool:
        shown = await operator.answer("tenants", "show", tenant)
        return bool(shown["plan"]["quotas"]["members"] == 9)

    await until(has_it)
    assert "1 tenants stay" in await operator.run("plans", "retire", "silver")
    await operator.run("tenants", "create", "Late", "--plan", "silver", status=Exit.REFUSED)
    assert "silver" in await operator.run("plans", "list")
    await operator.run("plans", "define", "gold", "--base", "brass", status=Exit.USAGE)
    await operator.run("plans", "retire", "brass", status=Exit.NOT_FOUND)


async def test_a_key_has_an_end_scopes_and_networks_and_is_rotated(desk: Desk, operator: Operator) -> None:
    """The secret is what is printed, and a list never has it."""
    tenant = (await operator.run("tenants", "create", "Shop")).strip()
    given = (
        "--scope",
        "images:read",
        "--scope",
        "usage:read",
        "--expires",
        "2031-01-02",
        "--ip",
        "10.0.0.0/8",
    )
    issued = await operator.answer("keys", "issue", tenant, "--mode", "test", *given)
    key = issued["key"]
    assert key["scopes"] == ["images:read", "usage:read"]
    assert (key["expires_at"], key["allowed_ips"]) == ("2031-01-02T00:00:00Z", ["10.0.0.0/8"])
    fresh = (await operator.run("keys", "rotate", tenant, key["id"], "--overlap", "0.5")).strip()
    assert fresh.startswith("im_test_")
    await operator.run("keys", "rotate", tenant, key["id"], status=Exit.REFUSED)
    listed = await operator.run("keys", "list", tenant)
    assert fresh not in listed
    assert fresh[:20] in listed
    await operator.run("keys", "issue", tenant, "--scope", "me:write", status=Exit.REFUSED)
    await operator.run("keys", "issue", tenant, "--scope", "images:eat", status=Exit.USAGE)
    await operator.run("keys", "issue", tenant, "--ip", "10.0.0.1/8", status=Exit.REFUSED)


async def test_access_tokens_get_a_new_key(desk: Desk, operator: Operator) -> None:
    """Those of the one before stay good."""
    first, second = [(await operator.answer("vault", "rotate-tokens"))["keys"] for _ in range(2)]
    assert second[:-1] == first
    said = await operator.run("vault", "rotate-tokens")
    assert f"still good: {', '.join(key['kid'] for key in second)}" in said


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
