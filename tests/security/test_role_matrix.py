"""Every endpoint of the OpenAPI document, asked by everybody: each role, an API key, the platform's people.

Who lacks the permission is refused before anything else is looked at; who has it gets past the guard, and
finds its own tenant's things alone.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import httpx
import pytest

from deploy.local.demo.account import make_enterprise_account
from libs.common.contracts.access import (
    DEFAULT_KEY_PERMISSIONS,
    ROLES,
    STAFF_ROLES,
    AnyPermission,
    Permission,
    Role,
    StaffPermission,
    StaffRole,
)
from tests.security.things import Things, things_of
from tests.servers.counted import CASES
from tests.servers.operations import Operation, all_operations
from tests.servers.system import System
from tests.servers.tokens import Badge, member, staff

GUARDED = [operation for operation in all_operations() if operation.permission is not None]
OF_TENANTS = [one for one in GUARDED if isinstance(one.permission, Permission)]
OF_THE_PLATFORM = [one for one in GUARDED if isinstance(one.permission, StaffPermission)]
WITH_IDS = [one for one in OF_TENANTS if one.of_one_thing]
KEY = "api_key"
CALLERS = [*Role, KEY]


@dataclass
class World:
    """Two tenants, and somebody of every kind in each. `things`: of the first tenant, by parameter name."""

    url: str
    things: Things
    own: dict[str, Badge | dict[str, str]] = field(default_factory=dict)
    foreign: dict[str, Badge | dict[str, str]] = field(default_factory=dict)
    staff: dict[str, Badge] = field(default_factory=dict)

    def ask(
        self, operation: Operation, who: Badge | dict[str, str], ids: dict[str, str], body: object
    ) -> httpx.Response:
        headers = who if isinstance(who, dict) else who.headers
        path = operation.path.format(**ids)
        with httpx.Client(base_url=self.url, headers=headers, timeout=60) as client:
            if body is None:
                return client.request(operation.method, path)
            return client.request(operation.method, path, json=body)


@pytest.fixture(scope="module")
def world(system: System) -> World:
    addresses = system.supervisor.addresses
    things = things_of(system)
    stranger = asyncio.run(make_enterprise_account(addresses, "stranger"))
    made = World(system.api_url, things)
    for role in Role:
        made.own[role] = member(addresses, things.tenant, role, things.users[role])
        made.foreign[role] = member(addresses, stranger.tenant, role)
    made.own[KEY] = {"Authorization": f"Bearer {things.key.get_secret_value()}"}
    made.foreign[KEY] = {"Authorization": f"Bearer {stranger.key.get_secret_value()}"}
    made.staff = {role: staff(addresses, role) for role in StaffRole}
    return made


def permissions(caller: str) -> frozenset[AnyPermission]:
    return frozenset(DEFAULT_KEY_PERMISSIONS if caller == KEY else ROLES[Role(caller)])


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("operation", OF_TENANTS, ids=lambda one: one.name)
def test_a_role_may_what_its_permissions_say(operation: Operation, caller: str, world: World) -> None:
    """Of its own tenant: 403 naming the permission, or past the guard, whatever is the matter then."""
    CASES["role matrix"] += 1
    answer = world.ask(operation, world.own[caller], world.things.nowhere, None)
    if operation.permission in permissions(caller):
        assert answer.status_code not in (401, 403), answer.text
        assert answer.status_code < 500, answer.text
    else:
        assert answer.status_code == 403, answer.text
        assert answer.json()["code"] == "forbidden"
        assert str(operation.permission) in answer.json()["detail"]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("operation", WITH_IDS, ids=lambda one: one.name)
def test_another_tenants_things_are_nothing(operation: Operation, caller: str, world: World) -> None:
    """With the permission the answer is that of an id that was given to nothing; without it 403 as ever."""
    CASES["cross-tenant matrix"] += 1
    found, nothing = (
        world.ask(operation, world.foreign[caller], ids, operation.example)
        for ids in (world.things.ids, world.things.nowhere)
    )
    if operation.permission in permissions(caller):
        assert found.status_code == 404, found.text
    else:
        assert found.status_code == 403, found.text
    assert _told(found) == _told(nothing)


@pytest.mark.parametrize("role", StaffRole)
@pytest.mark.parametrize("operation", OF_THE_PLATFORM, ids=lambda one: one.name)
def test_staff_may_what_their_permissions_say(operation: Operation, role: StaffRole, world: World) -> None:
    """In the realm of the platform."""
    CASES["role matrix"] += 1
    answer = world.ask(operation, world.staff[role], world.things.nowhere, None)
    if operation.permission in STAFF_ROLES[role]:
        assert answer.status_code not in (401, 403), answer.text
        assert answer.status_code < 500, answer.text
    else:
        assert answer.status_code == 403, answer.text


@pytest.mark.parametrize("operation", OF_THE_PLATFORM, ids=lambda one: one.name)
def test_nobody_of_a_tenant_gets_into_the_platforms_realm(operation: Operation, world: World) -> None:
    """Not even an owner: 401, as that credential is none there."""
    for caller in CALLERS:
        CASES["role matrix"] += 1
        answer = world.ask(operation, world.own[caller], world.things.ids, None)
        assert answer.status_code == 401, answer.text


@pytest.mark.parametrize("operation", OF_TENANTS, ids=lambda one: one.name)
def test_staff_do_not_get_into_a_tenant_by_being_staff(operation: Operation, world: World) -> None:
    """They have to act inside of it, with a reason."""
    CASES["role matrix"] += 1
    answer = world.ask(operation, world.staff[StaffRole.ADMIN], world.things.ids, None)
    assert answer.status_code == 401, answer.text


def test_every_endpoint_says_what_it_needs() -> None:
    """Or is public, and those are few and known."""
    public = {one.path for one in all_operations() if one.permission is None}
    known = (
        "/api/v1/auth/",
        "/api/v1/platform/auth/",
        "/api/v1/branding",
        "/api/v1/erasures/",
        "/.well-known/",
        "/healthz",
    )
    assert not [path for path in public if not path.startswith(known)]


def _told(answer: httpx.Response) -> dict[str, object]:
    return {name: value for name, value in answer.json().items() if name != "request_id"}
