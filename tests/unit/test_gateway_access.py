"""Who gets in by which credential, and what is said to those who don't."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from starlette.types import ASGIApp

from libs.common.api_keys import GeneratedKey, generate
from libs.common.contracts.access import Permission, StaffPermission
from libs.common.contracts.ids import SessionId, StaffId, TenantId, TokenId, UserId
from libs.common.contracts.tenants import KeyMode, TenantStatus
from libs.common.contracts.tokens import Realm
from services.gateway.auth.access import Access
from services.gateway.auth.caller import Caller
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.auth.keyring import KeyRing, KnownKey
from services.gateway.auth.standing import Revocation, Revoked
from services.gateway.auth.tokens import TokenCheck
from services.gateway.gateway import Gateway
from tests.unit.gateway_app import offline_gateway, slim_app
from tests.unit.test_gateway_keyring import Store
from tests.unit.token_mint import TENANT, Mint

ADDRESS = "203.0.113.9"
LOOK, CHANGE, PLATFORM = "/api/v1/look", "/api/v1/change", "/api/v1/platform/look"


@dataclass
class Door:
    """The gateway's middleware with keys and tokens of its own, and routes that say who came in."""

    settings: dict[str, Any] = field(default_factory=dict)
    mint: Mint = field(default_factory=Mint)
    store: Store = field(default_factory=Store)

    def __post_init__(self) -> None:
        gateway = offline_gateway(**self.settings)
        keys = KeyRing(self.store)
        access = Access(keys, TokenCheck(self.mint.book()), gateway.standing, gateway.strangers)
        self.gateway: Gateway = replace(gateway, keys=keys, access=access)
        self._app: ASGIApp = _app(self.gateway)

    def key(self, **changes: Any) -> tuple[GeneratedKey, KnownKey]:
        key = generate(KeyMode.LIVE)
        return key, self.store.add(key, **changes)

    async def ask(
        self, method: str = "GET", path: str = LOOK, address: str = ADDRESS, **headers: str
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, client=(address, 4711))
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx.AsyncClient(transport=transport, base_url="https://api.test") as http:
            return await http.request(method, path, headers=named)

    async def by_token(self, token: str, method: str = "GET", path: str = LOOK) -> httpx.Response:
        return await self.ask(method, path, authorization=f"Bearer {token}")


def _app(gateway: Gateway) -> FastAPI:
    app = slim_app(gateway, _routes())

    @app.get("/healthz")
    @app.get("/api/v1/branding")
    async def anybody() -> None: ...

    return app


def _routes() -> APIRouter:
    router = guarded_router()

    async def who(request: Request) -> dict[str, Any]:
        caller = request.scope["caller"]
        return {"tenant": caller.tenant, "subject": caller.subject, "kind": caller.kind.value}

    router.get(LOOK, openapi_extra=needs(Permission.IMAGES_READ))(who)
    router.post(CHANGE, openapi_extra=needs(Permission.IMAGES_READ))(who)
    router.get(PLATFORM, openapi_extra=needs(StaffPermission.HEALTH_READ))(who)
    return router


def secret(key: GeneratedKey) -> str:
    return key.secret.get_secret_value()


async def test_an_api_key_gets_in_by_either_header() -> None:
    """As its own tenant."""
    door = Door()
    key, known = door.key()
    for headers in ({"authorization": f"Bearer {secret(key)}"}, {"x_api_key": secret(key)}):
        answer = await door.ask(**headers)
        assert answer.json() == {
            "tenant": known.caller.tenant,
            "subject": known.caller.subject,
            "kind": "api_key",
        }


async def test_a_users_token_gets_in_by_header_and_by_cookie() -> None:
    """Under the tenant that the token names; there is no other way to name one."""
    door, user = Door(), UserId.new()
    token = door.mint.token(sub=user)
    for headers in ({"authorization": f"Bearer {token}"}, {"cookie": f"__Host-mannequin={token}"}):
        answer = await door.ask(x_tenant_id=TenantId.new(), **headers)
        assert answer.json() == {"tenant": TENANT, "subject": user, "kind": "user"}


async def test_the_platforms_people_act_inside_a_tenant_as_themselves() -> None:
    """The token says why; in their own realm they are of no tenant."""
    door, person = Door(), StaffId.new()
    inside = await door.by_token(door.mint.token(sub=person, acting_for="ticket 4711"))
    assert inside.json() == {"tenant": TENANT, "subject": person, "kind": "staff"}
    scope = StaffPermission.HEALTH_READ.value
    own = door.mint.token(sub=person, aud=Realm.PLATFORM.value, tenant_id=None, scope=scope)
    outside = await door.by_token(own, path=PLATFORM)
    assert outside.json() == {"tenant": None, "subject": person, "kind": "staff"}
    assert (await door.by_token(own)).status_code == 401
    assert (await door.by_token(door.mint.token(scope=scope), path=PLATFORM)).status_code == 401


async def _expired_key(door: Door) -> dict[str, str]:
    key, _ = door.key(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    return {"x_api_key": secret(key)}


async def _revoked_key(door: Door) -> dict[str, str]:
    key, _ = door.key(revoked=True)
    return {"x_api_key": secret(key)}


async def _key_from_elsewhere(door: Door) -> dict[str, str]:
    key, _ = door.key(networks=(ip_network("198.51.100.0/24"),))
    return {"x_api_key": secret(key)}


async def _key_of_an_erased_tenant(door: Door) -> dict[str, str]:
    key, known = door.key()
    door.gateway.standing.learn_tenants([(known.caller.tenant, TenantStatus.ERASING)])
    return {"x_api_key": secret(key)}


async def _expired_token(door: Door) -> dict[str, str]:
    now = int(time.time())
    return {"authorization": f"Bearer {door.mint.token(iat=now - 700, exp=now - 100)}"}


async def _forged_token(_: Door) -> dict[str, str]:
    return {"authorization": f"Bearer {Mint().token()}"}


async def _token_of_an_erased_tenant(door: Door) -> dict[str, str]:
    door.gateway.standing.learn_tenants([(TENANT, TenantStatus.ERASING)])
    return {"authorization": f"Bearer {door.mint.token()}"}


async def _token_of_a_session_that_ended(door: Door) -> dict[str, str]:
    session, now = SessionId.new(), time.time()
    door.gateway.standing.learn_revocations([Revocation(Revoked.SESSION, session, now + 1, now + 900)])
    return {"authorization": f"Bearer {door.mint.token(sid=session)}"}


async def _token_of_a_key_that_is_gone(door: Door) -> dict[str, str]:
    _, known = door.key(revoked=True)
    token = door.mint.token(sub=known.caller.subject, tenant_id=known.caller.tenant)
    return {"authorization": f"Bearer {token}"}


async def _nothing(_: Door) -> dict[str, str]:
    return {}


async def _rubbish(_: Door) -> dict[str, str]:
    return {"authorization": "Bearer rubbish"}


async def _unknown_key(_: Door) -> dict[str, str]:
    return {"x_api_key": secret(generate(KeyMode.LIVE))}


PLAIN = 'Bearer realm="mannequin"'
INVALID = f'{PLAIN}, error="invalid_token"'
REFUSED: tuple[tuple[Any, int, str, str], ...] = (
    (_nothing, 401, "unauthorized", PLAIN),
    (_rubbish, 401, "unauthorized", PLAIN),
    (_unknown_key, 401, "unauthorized", PLAIN),
    (_expired_key, 401, "key_expired", PLAIN),
    (_revoked_key, 401, "key_revoked", PLAIN),
    (_key_from_elsewhere, 403, "address_not_allowed", ""),
    (_key_of_an_erased_tenant, 401, "tenant_erased", PLAIN),
    (_expired_token, 401, "token_expired", INVALID),
    (_forged_token, 401, "token_invalid", INVALID),
    (_token_of_an_erased_tenant, 401, "tenant_erased", PLAIN),
    (_token_of_a_session_that_ended, 401, "token_revoked", INVALID),
    (_token_of_a_key_that_is_gone, 401, "key_revoked", PLAIN),
)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case[0].__name__.strip("_"))
async def test_who_does_not_get_in_is_told_why(case: tuple[Any, int, str, str]) -> None:
    """By a code that stays, and as RFC 6750 has it."""
    make, status, code, challenge = case
    door = Door()
    answer = await door.ask(**await make(door))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers.get("www-authenticate", "").startswith(challenge)


async def test_a_lacking_permission_is_named() -> None:
    """403, with the scope that a token would need."""
    door = Door()
    answer = await door.by_token(door.mint.token(scope="usage:read"))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    expected = f'{PLAIN}, error="insufficient_scope", scope="images:read"'
    assert answer.headers["www-authenticate"] == expected


async def test_a_token_of_a_key_can_do_no_more_than_the_key_can_now() -> None:
    """From no other place either."""
    door = Door()
    _, known = door.key(networks=(ip_network("203.0.113.0/24"),))
    narrow = replace(known.caller, permissions=frozenset({Permission.USAGE_READ}))
    token = door.mint.token(sub=known.caller.subject, tenant_id=known.caller.tenant)
    assert (await door.by_token(token)).status_code == 200
    elsewhere = await door.ask(address="198.51.100.7", authorization=f"Bearer {token}")
    assert elsewhere.json()["code"] == "address_not_allowed"
    door.gateway.keys.learn([replace(known, caller=narrow)])
    assert (await door.by_token(token)).json()["code"] == "forbidden"


async def test_a_suspended_tenants_callers_may_look_and_change_nothing() -> None:
    """By key and by token."""
    door = Door()
    key, known = door.key()
    tenants = [(tenant, TenantStatus.SUSPENDED) for tenant in (known.caller.tenant, TENANT)]
    door.gateway.standing.learn_tenants(tenants)
    for credential in (secret(key), door.mint.token()):
        assert (await door.by_token(credential)).status_code == 200
        answer = await door.by_token(credential, "POST", CHANGE)
        assert (answer.status_code, answer.json()["code"]) == (403, "tenant_suspended")


ORIGINS: tuple[tuple[dict[str, str], bool], ...] = (
    ({}, False),
    ({"origin": "https://api.test"}, True),
    ({"origin": "https://portal.test"}, True),
    ({"origin": "http://api.test"}, False),
    ({"origin": "https://evil.test"}, False),
    ({"origin": "https://api.test.evil.test"}, False),
    ({"origin": "null"}, False),
    ({"sec_fetch_site": "same-origin"}, True),
    ({"sec_fetch_site": "same-site"}, False),
    ({"sec_fetch_site": "cross-site"}, False),
    ({"referer": "https://api.test/"}, False),
)


@pytest.mark.parametrize(("headers", "ours"), ORIGINS, ids=str)
async def test_a_cookie_changes_something_from_our_own_pages_alone(
    headers: dict[str, str], ours: bool
) -> None:
    """Where a browser says that the request comes from there; looking is free."""
    door = Door({"cors_origins": ("https://portal.test",)})
    cookie = f"__Host-mannequin={door.mint.token()}"
    answer = await door.ask("POST", CHANGE, cookie=cookie, **headers)
    assert answer.status_code == (200 if ours else 403)
    if not ours:
        assert answer.json()["code"] == "csrf"
    assert (await door.ask(cookie=cookie, **headers)).status_code == 200


async def test_a_header_needs_no_origin_and_goes_before_a_cookie() -> None:
    """No page of another site can have a browser send one."""
    door, user = Door(), UserId.new()
    token, other = door.mint.token(sub=user), door.mint.token()
    answer = await door.ask(
        "POST", CHANGE, authorization=f"Bearer {token}", cookie=f"__Host-mannequin={other}"
    )
    assert answer.json()["subject"] == user


async def test_the_cookies_name_depends_on_whether_it_is_safe() -> None:
    """A plain one, which another host of the domain could have set, counts for nothing where https is."""
    secure, plain = Door(), Door({"cookie_secure": False})
    for door, status in ((secure, 401), (plain, 200)):
        answer = await door.ask(cookie=f"mannequin={door.mint.token()}")
        assert answer.status_code == status


async def test_public_paths_need_no_credential_and_mind_no_bad_one() -> None:
    """Whoever signs in again may have an old cookie with them."""
    door = Door()
    for headers in ({}, {"authorization": f"Bearer {Mint().token()}"}, {"x_api_key": "rubbish"}):
        assert (await door.ask(path="/healthz", **headers)).status_code == 200
        assert (await door.ask(path="/api/v1/branding", **headers)).status_code == 200


async def test_wrong_keys_from_one_address_are_slowed_down_before_the_database_is() -> None:
    """Those that are known are not."""
    door = Door({"address_burst": 3, "address_rate_per_s": 0.01})
    key, _ = door.key()
    await door.by_token(secret(key))
    codes = []
    for _ in range(5):
        wrong = secret(generate(KeyMode.LIVE))
        codes.append((await door.by_token(wrong)).json()["code"])
    assert codes == ["unauthorized"] * 3 + ["rate_limited"] * 2
    assert len(door.store.reads) == 4
    assert (await door.by_token(secret(key))).status_code == 200
    elsewhere = await door.ask(address="198.51.100.7", x_api_key=secret(generate(KeyMode.LIVE)))
    assert elsewhere.json()["code"] == "unauthorized"


async def test_where_nobody_need_sign_in_each_address_has_a_bucket() -> None:
    """Told in the same fields as a caller's."""
    door = Door({"address_burst": 2, "address_rate_per_s": 0.01})
    statuses = [(await door.ask(path="/api/v1/branding")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    other = await door.ask(path="/api/v1/branding", address="198.51.100.7")
    assert other.headers["ratelimit-policy"] == '"address";q=2;w=200'
    of_one_network = ("2001:db8::1", "2001:db8::2", "2001:db8::3")
    statuses = [(await door.ask(path="/api/v1/branding", address=ip)).status_code for ip in of_one_network]
    assert statuses == [200, 200, 429]


def test_a_caller_who_was_let_in_is_looked_at_again() -> None:
    """A stream of events outlives what it began with: a token, a session, a key, a tenant."""
    door, now = Door(), time.time()
    _, known = door.key()
    access, standing = door.gateway.access, door.gateway.standing
    user = Caller(
        TENANT,
        UserId.new(),
        known.caller.kind,
        known.caller.permissions,
        session=SessionId.new(),
        token=TokenId.new(),
        issued_at=int(now),
        good_until=now + 600,
    )
    assert access.admits(user)
    assert access.admits(known.caller)
    assert not access.admits(replace(user, good_until=now - 1))
    standing.learn_revocations([Revocation(Revoked.SUBJECT, user.subject, now + 1, now + 900)])
    assert not access.admits(user)
    standing.learn_tenants([(known.caller.tenant, TenantStatus.ERASING)])
    assert not access.admits(known.caller)
