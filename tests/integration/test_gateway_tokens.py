"""Access tokens from end to end: gateway, vault's service, OpenBao, database and broker."""

from __future__ import annotations

import asyncio
import time
import warnings
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import KeySet

from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from libs.common.contracts.access import Permission
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import SessionId, StaffId, UserId
from libs.common.contracts.tenants import (
    ApiKeyRevoked,
    ApiKeysUsed,
    KeyMode,
    TenantStatus,
    TenantStatusChanged,
)
from libs.common.contracts.tokens import AccessRevoked, RotateTokenKey
from services.gateway.auth.issuing import issue
from services.gateway.auth.oauth import SESSION_GRANT
from services.gateway.errors import TokenRevoked
from tests.integration.token_desk import WHO, Desk, Key, at_desk
from tests.servers.databases import TestDatabase

WITHIN_S = 1.0
TOKEN, REVOKE = "/api/v1/auth/token", "/api/v1/auth/revoke"


@pytest.fixture
async def desk(
    database: TestDatabase, nats_server: Nats, vault_server: OpenBao, tmp_path: Path
) -> AsyncIterator[Desk]:
    async with at_desk(database, nats_server, vault_server, tmp_path.as_uri()) as desk:
        yield desk


async def until(condition: Callable[[], Awaitable[bool]], limit_s: float = WITHIN_S) -> None:
    async with asyncio.timeout(limit_s):
        while not await condition():
            await asyncio.sleep(0.01)


async def refused_everywhere(desk: Desk, token: str, code: str = "token_revoked") -> None:
    """Within a second."""

    async def refused() -> bool:
        answers = [await replica.who(token) for replica in desk.replicas]
        return all(answer.status_code == 401 and answer.json()["code"] == code for answer in answers)

    await until(refused)


async def test_an_api_key_gets_a_token_that_does_what_the_key_may(desk: Desk) -> None:
    """At every replica, as RFC 6749 has it, and nothing of it is kept by a cache."""
    key = await desk.key()
    answer = await desk.first.token(key)
    granted = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert (granted["token_type"], granted["expires_in"]) == ("Bearer", 600)
    for replica in desk.replicas:
        who = (await replica.who(granted["access_token"])).json()
        assert (who["tenant"], who["subject"], who["test"]) == (desk.tenant, key.id, False)
        assert who["permissions"] == sorted(granted["scope"].split())


async def test_a_client_may_show_its_key_in_the_form_and_by_its_visible_part(desk: Desk) -> None:
    """RFC 6749, 2.3.1."""
    key = await desk.key(mode=KeyMode.TEST)
    for client_id in (key.id, key.generated.public_id):
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": key.secret}
        answer = await desk.first.http.post(TOKEN, data=form)
        who = (await desk.first.who(answer.json()["access_token"])).json()
        assert (who["subject"], who["test"]) == (key.id, True)


async def test_a_token_may_be_asked_for_with_less(desk: Desk) -> None:
    """But not with more."""
    key = await desk.key(scopes=(Permission.IMAGES_READ, Permission.USAGE_READ))
    granted = (await desk.first.token(key, scope="images:read")).json()
    assert granted["scope"] == "images:read"
    assert (await desk.first.who(granted["access_token"])).json()["permissions"] == ["images:read"]
    refused = await desk.first.token(key, scope="images:read images:write")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")


async def test_a_key_that_ends_soon_gets_a_token_that_ends_with_it(desk: Desk) -> None:
    """One that has ended gets none, nor one from elsewhere."""
    now = datetime.now(UTC)
    soon = await desk.key(expires_at=now + timedelta(seconds=60))
    assert 50 <= (await desk.first.token(soon)).json()["expires_in"] <= 60
    over = await desk.key(expires_at=now - timedelta(seconds=1))
    elsewhere = await desk.key(allowed_ips=("198.51.100.0/24",))
    for key in (over, elsewhere):
        answer = await desk.first.token(key)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic")


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


GRANT = "grant_type=client_credentials"
WRONG: tuple[tuple[str, Callable[[Key, Key], str], str, int, str], ...] = (
    ("no grant type", lambda key, _: key.basic, "", 400, "invalid_request"),
    ("another grant type", lambda key, _: key.basic, "grant_type=password", 400, "unsupported_grant_type"),
    ("a field twice", lambda key, _: key.basic, f"{GRANT}&scope=a&scope=b", 400, "invalid_request"),
    ("a NUL", lambda key, _: key.basic, f"{GRANT}&scope=%00", 400, "invalid_request"),
    ("no UTF-8", lambda key, _: key.basic, f"{GRANT}&scope=%ff", 400, "invalid_request"),
    ("many fields", lambda key, _: key.basic, GRANT + "&x=1" * 50, 400, "invalid_request"),
    ("two clients", lambda key, _: key.basic, f"{GRANT}&client_secret=x", 400, "invalid_request"),
    ("no client", lambda *_: "", GRANT, 401, "invalid_client"),
    ("no colon", lambda *_: "Basic " + b64encode(b"x").decode(), GRANT, 401, "invalid_client"),
    ("no base64", lambda *_: "Basic %%%", GRANT, 401, "invalid_client"),
    ("a wrong secret", lambda key, _: _basic(key.id, key.secret[:-1]), GRANT, 401, "invalid_client"),
    ("another's id", lambda key, other: _basic(other.id, key.secret), GRANT, 401, "invalid_client"),
    ("another's secret", lambda key, other: _basic(key.id, other.secret), GRANT, 401, "invalid_client"),
    ("no session", lambda *_: "", f"grant_type={SESSION_GRANT}", 401, "invalid_client"),
)


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case[0])
async def test_a_wrong_request_is_answered_as_oauth_has_it(desk: Desk, case: Any) -> None:
    """Never with a 500, and never kept by a cache."""
    _, authorization, body, status, error = case
    key, other = await desk.key(), await desk.key()
    headers = {
        "authorization": authorization(key, other),
        "content-type": "application/x-www-form-urlencoded",
    }
    answer = await desk.first.http.post(TOKEN, content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["cache-control"] == "no-store"


async def test_whoever_is_signed_in_gets_a_token_of_the_same_session(desk: Desk) -> None:
    """It ends with the cookie's at the latest, and with the session."""
    user, session = UserId.new(), SessionId.new()
    access = await desk.session(user, session)
    headers = {"cookie": f"__Host-mannequin={access}", "origin": "https://api.test"}
    form = {"grant_type": SESSION_GRANT, "scope": "images:read"}
    granted = (await desk.first.http.post(TOKEN, data=form, headers=headers)).json()
    assert granted["expires_in"] <= 600
    who = (await desk.first.who(granted["access_token"])).json()
    assert (who["subject"], who["session"]) == (user, session)
    assert who["permissions"] == ["images:read"]
    del headers["origin"]
    assert (await desk.first.http.post(TOKEN, data=form, headers=headers)).json()["code"] == "csrf"
    await desk.revoke(session_id=session)
    await refused_everywhere(desk, granted["access_token"])
    await refused_everywhere(desk, access)


async def test_a_revoked_token_is_refused_everywhere_and_after_a_start(desk: Desk) -> None:
    """RFC 7009; a replay is refused within a second, by a replica that starts later as well."""
    key = await desk.key()
    token = (await desk.first.token(key)).json()["access_token"]
    assert (await desk.replicas[1].who(token)).status_code == 200
    form, headers = {"token": token}, {"authorization": key.basic}
    for _ in range(2):
        answer = await desk.first.http.post(REVOKE, data=form, headers=headers)
        assert (answer.status_code, answer.content) == (200, b"")
    assert (await desk.first.who(token)).json()["code"] == "token_revoked"
    await refused_everywhere(desk, token)
    later = await desk.start()
    assert (await later.who(token)).json()["code"] == "token_revoked"


async def test_only_the_tenants_own_tokens_can_be_revoked(desk: Desk) -> None:
    """What is none of them is answered alike; without a credential nothing is."""
    key = await desk.key()
    token = (await desk.first.token(key)).json()["access_token"]
    desk.tenant = type(desk.tenant).new()
    stranger = await desk.key()
    for text in (token, "rubbish", "a.b.c"):
        answer = await desk.first.http.post(
            REVOKE, data={"token": text}, headers={"authorization": stranger.basic}
        )
        assert answer.status_code == 200
    assert (await desk.first.http.post(REVOKE, data={"token": token})).status_code == 401
    nothing = await desk.first.http.post(REVOKE, data={"x": "y"}, headers={"x-api-key": stranger.secret})
    assert nothing.json()["error"] == "invalid_request"
    assert (await desk.first.who(token)).status_code == 200


async def test_the_published_keys_verify_a_token_elsewhere(desk: Desk) -> None:
    """By another library, from what anybody may ask for."""
    token = (await desk.first.token(await desk.key())).json()["access_token"]
    answer = await desk.first.http.get("/.well-known/jwks.json")
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["content-type"] == "application/jwk-set+json"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # of RFC 9864, which renames the algorithm
        seen = jws.deserialize_compact(token, KeySet.import_key_set(answer.json()), ["EdDSA"])
    assert seen.headers() == {"alg": "EdDSA", "kid": seen.headers()["kid"], "typ": "at+jwt"}


async def test_the_end_of_a_key_is_the_end_of_its_tokens(desk: Desk) -> None:
    """As soon as the event is there."""
    key = await desk.key()
    token = (await desk.first.token(key)).json()["access_token"]
    for replica in desk.replicas:
        assert (await replica.who(token)).status_code == 200
    await desk.tell(ApiKeyRevoked(key_id=key.id, revoked_at=datetime.now(UTC)))
    await refused_everywhere(desk, token, "key_revoked")


async def test_a_tenants_standing_reaches_every_replica(desk: Desk) -> None:
    """Suspended: looking goes on. Erasing: nobody gets in."""
    key = await desk.key()
    await desk.tell(TenantStatusChanged(status=TenantStatus.SUSPENDED, revision=1))

    async def suspended() -> bool:
        answers = [
            await replica.http.post(WHO, headers={"x-api-key": key.secret}) for replica in desk.replicas
        ]
        return all(answer.json().get("code") == "tenant_suspended" for answer in answers)

    await until(suspended)
    assert (await desk.first.who(key.secret)).status_code == 200
    await desk.tell(TenantStatusChanged(status=TenantStatus.ERASING, revision=2))
    await refused_everywhere(desk, key.secret, "tenant_erased")


async def test_a_new_token_after_a_revocation_of_the_subject_is_good(desk: Desk) -> None:
    """Also in the same second, in which the old ones were issued."""
    user, session = UserId.new(), SessionId.new()
    old = await desk.session(user, session)
    await desk.revoke(subject=user)
    await refused_everywhere(desk, old)
    new = await desk.session(user, session)
    assert (await desk.first.who(new)).status_code == 200


async def test_the_platforms_people_are_put_out_as_quickly(desk: Desk) -> None:
    """By an event that names no tenant."""
    person = StaffId.new()
    issued = await issue(desk.first.gateway, tenant=None, subject=person, permissions=[])
    token, now = issued.token.get_secret_value(), datetime.now(UTC)
    for replica in desk.replicas:
        assert (await replica.gateway.access.find(token, None)).subject == person
    event = AccessRevoked(subject=person, before=now, until=now + timedelta(minutes=20))
    await desk.tenants.publish([Envelope.of(event, source="tenants")])

    async def out() -> bool:
        return all(replica.gateway.access.revoked(issued.claims) for replica in desk.replicas)

    await until(out)
    with pytest.raises(TokenRevoked):
        await desk.first.gateway.access.find(token, None)


async def test_use_of_a_key_is_told_to_the_tenants_service(desk: Desk) -> None:
    """Once for many requests, and by no more than its id and the time."""
    key, began = await desk.key(), datetime.now(UTC)
    for _ in range(5):
        await desk.first.who(key.secret)
    use, database = desk.first.gateway.access.key_use, desk.first.gateway.database
    await use.tell(database)
    await use.tell(database)
    async with database.platform("look") as tx:
        rows = await tx.fetch("select data from outbox where tenant_id = $1", desk.tenant)
    [told] = [ApiKeysUsed.model_validate_json(row["data"]) for row in rows]
    assert [one.key_id for one in told.uses] == [key.id]
    assert began <= told.uses[0].at <= datetime.now(UTC)


async def test_a_new_key_under_load_fails_no_request(
    database: TestDatabase, nats_server: Nats, vault_server: OpenBao, tmp_path: Path
) -> None:
    """Tokens are issued and used all the while; the new key signs, and tokens of the old one go on."""
    folder = tmp_path.as_uri()
    async with at_desk(database, nats_server, vault_server, folder, lead_s=1.0) as desk:
        key, kids, used, rotated = await desk.key(), [], 0, asyncio.Event()
        first = (await desk.first.token(key)).json()["access_token"]

        async def work() -> None:
            nonlocal used
            while not rotated.is_set():
                made = await issue(
                    desk.first.gateway,
                    tenant=desk.tenant,
                    subject=key.id,
                    permissions=[Permission.IMAGES_READ],
                )
                token = made.token.get_secret_value()
                kids.append(jws.extract_compact(token.encode()).headers()["kid"])
                for replica in desk.replicas:
                    assert (await replica.who(token)).status_code == 200
                    assert (await replica.who(first)).status_code == 200
                used += 1

        working = [asyncio.create_task(work()) for _ in range(4)]
        keys = await desk.operator.request(RotateTokenKey())
        newest = keys.keys[-1]["kid"]
        assert newest not in kids

        async def signed_by_the_new_one() -> bool:
            return newest in kids[-4:] or any(task.done() for task in working)

        await until(signed_by_the_new_one, 20)
        rotated.set()
        await asyncio.gather(*working)
        assert used > 10
        assert (await desk.replicas[1].who(first)).status_code == 200


async def test_a_token_is_checked_in_well_under_a_fifth_of_a_millisecond(desk: Desk) -> None:
    """At the median, revocations included; the bench says how much."""
    token = (await desk.first.token(await desk.key())).json()["access_token"]
    access, seconds = desk.first.gateway.access, []
    for _ in range(500):
        began = time.perf_counter()
        await access.find(token, None)
        seconds.append(time.perf_counter() - began)
    assert sorted(seconds)[250] < 0.0002
