"""The first of the staff and the first of a tenant's people, made at a command line."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from deploy.local.servers.nats import Nats
from libs.client.cli.session import Exit
from libs.common.bus.connect import connect
from libs.common.contracts.access import Role
from libs.common.contracts.people import AcceptInvite
from libs.common.contracts.staff import LogInStaff
from libs.common.errors import Refusal
from tests.integration import test_operator
from tests.integration.test_operator import Operator
from tests.servers.planted import planted

desk, operator = test_operator.desk, test_operator.operator
EMAIL = "noor@platform.example"


@pytest.mark.usefixtures("desk")
async def test_the_first_of_the_staff_gets_a_password_that_is_shown_once(
    operator: Operator, nats_server: Nats
) -> None:
    """It begins the first sign-in; the list shows no secret."""
    password = (await operator.run("staff", "create", EMAIL, "Noor")).strip()
    gateway = connect(nats_server.url, "gateway")
    await gateway.start()
    try:
        refusal = LogInStaff(email=EMAIL, password=SecretStr(password), code=SecretStr("000000"))
        with pytest.raises(Refusal, match="new_password"):
            await gateway.request(refusal, timeout=20)
    finally:
        await gateway.close()
    listed = await operator.run("staff", "list")
    assert EMAIL in listed
    assert password not in listed
    await operator.run("staff", "create", EMAIL, "Noor", status=Exit.REFUSED)


@pytest.mark.usefixtures("desk")
async def test_a_tenants_first_owner_is_invited_by_a_link(operator: Operator, nats_server: Nats) -> None:
    """Which is printed, as no letters are sent here."""
    tenant = (await operator.run("tenants", "create", "A shop")).strip()
    link = (await operator.run("tenants", "invite", tenant, "owner@shop.example")).strip()
    gateway = connect(nats_server.url, "gateway")
    await gateway.start()
    try:
        token = SecretStr(link.partition("#")[2])
        joining = AcceptInvite(token=token, name="Layla", password=SecretStr(planted()))
        opened = await gateway.request(joining, timeout=20)
    finally:
        await gateway.close()
    assert (opened.tenant, opened.user.role) == (tenant, Role.OWNER)
