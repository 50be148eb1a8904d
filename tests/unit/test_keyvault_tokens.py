"""Which key signs, which are published, and what a token may be asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.common.contracts.access import Permission, StaffPermission
from libs.common.contracts.erasure import SignStatement
from libs.common.contracts.ids import ApiKeyId, StaffId, TenantId, UserId
from libs.common.contracts.tokens import Realm, SignToken
from libs.common.errors import Invalid, Unavailable
from services.keyvault.secrets import statements
from services.keyvault.secrets.errors import NotAStatement
from services.keyvault.tokens.keys import KeyBook
from services.keyvault.tokens.rules import SLACK, TokenKey, published, signing
from services.keyvault.tokens.service import check
from services.keyvault.vault import VaultUnavailable

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LEAD, LONGEST = timedelta(minutes=2), timedelta(hours=1)
REASON = "ticket 4711, at the tenant's wish"


def key(version: int, made_before: timedelta) -> TokenKey:
    return TokenKey(version, bytes(32), NOW - made_before)


def test_the_first_key_signs_at_once() -> None:
    """There is no other."""
    assert signing([key(1, timedelta())], NOW, LEAD).version == 1


@pytest.mark.parametrize(("age", "signs"), [(timedelta(), 1), (LEAD - timedelta(seconds=1), 1), (LEAD, 2)])
def test_a_new_key_signs_once_it_has_been_published_long_enough(age: timedelta, signs: int) -> None:
    """Until then the one before it does."""
    assert signing([key(1, timedelta(days=1)), key(2, age)], NOW, LEAD).version == signs


def test_two_rotations_in_a_row_leave_a_key_that_signs() -> None:
    """The newest of those that are ready."""
    keys = [key(1, timedelta(days=1)), key(2, timedelta(minutes=1)), key(3, timedelta(seconds=1))]
    assert signing(keys, NOW, LEAD).version == 1
    assert signing(keys, NOW + timedelta(minutes=1), LEAD).version == 2
    assert signing(keys, NOW + LEAD, LEAD).version == 3


def test_an_old_key_is_published_until_its_last_token_is_dead() -> None:
    """That is the longest life after the next key began to sign, and a little more."""
    last = LEAD + LONGEST + SLACK
    for age, versions in ((last - timedelta(seconds=1), [1, 2]), (last, [2])):
        keys = [key(1, timedelta(days=1)), key(2, age)]
        assert [one.version for one in published(keys, NOW, LEAD, LONGEST)] == versions


def test_whatever_signs_is_published_and_was_for_as_long_as_the_lead() -> None:
    """At every moment of a history of rotations."""
    ages = [timedelta(minutes=minutes) for minutes in (500, 200, 199, 60, 3)]
    keys = [key(version, age) for version, age in enumerate(ages, 1)]
    for minutes in range(-3, 200):
        now = NOW + timedelta(minutes=minutes)
        signs = signing(keys, now, LEAD)
        assert signs in published(keys, now, LEAD, LONGEST)
        assert signs.made_at + LEAD <= now


def test_a_key_is_shown_as_rfc_8037_has_it() -> None:
    """Appendix A.2 of it: the public key of RFC 8032's example."""
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    raw = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    jwk = TokenKey(3, raw, NOW).jwk()
    assert jwk == {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": x,
        "kid": "tokens-v3",
        "use": "sig",
        "alg": "EdDSA",
    }


async def test_public_keys_stay_known_while_the_vault_is_away() -> None:
    """What was never known is asked for again."""

    class Away:
        keys: Any = ()

        async def token_keys(self) -> Any:
            if not self.keys:
                raise VaultUnavailable
            return self.keys

    vault = Away()
    book = KeyBook(vault, LEAD, clock=lambda: NOW)  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        await book.jwks()
    vault.keys = (key(1, timedelta(days=1)),)
    known = await book.jwks()
    vault.keys = ()
    book.forget()
    assert await book.jwks() == known


def ask(**changes: Any) -> SignToken:
    return SignToken.model_validate(
        {"aud": Realm.TENANT, "sub": UserId.new(), "scope": Permission.IMAGES_READ.value} | changes
    )


GOOD: tuple[tuple[SignToken, TenantId | None], ...] = (
    (ask(), TenantId.new()),
    (ask(sub=ApiKeyId.new(), scope=""), TenantId.new()),
    (ask(sub=StaffId.new(), acting_for=REASON), TenantId.new()),
    (ask(aud=Realm.PLATFORM, sub=StaffId.new(), scope=StaffPermission.USAGE_READ.value), None),
)
BAD: tuple[tuple[SignToken, TenantId | None], ...] = (
    (ask(), None),
    (ask(aud=Realm.PLATFORM, sub=StaffId.new(), scope=""), TenantId.new()),
    (ask(aud=Realm.PLATFORM, scope=""), None),
    (ask(sub=StaffId.new()), TenantId.new()),
    (ask(acting_for=REASON), TenantId.new()),
    (ask(sub="root"), TenantId.new()),
    (ask(scope="images:read everything"), TenantId.new()),
    (ask(scope=StaffPermission.TENANTS_WRITE.value), TenantId.new()),
    (ask(aud=Realm.PLATFORM, sub=StaffId.new(), scope=Permission.IMAGES_READ.value), None),
    (ask(aud=Realm.PLATFORM, sub=StaffId.new(), scope="", acting_for=REASON), None),
)


@pytest.mark.parametrize(("query", "tenant"), GOOD)
def test_a_token_for_whom_it_can_be_is_signed(query: SignToken, tenant: TenantId | None) -> None:
    """Users, keys, the platform's people in a tenant under a reason, and in their own realm."""
    check(query, tenant)


@pytest.mark.parametrize(("query", "tenant"), BAD)
def test_what_does_not_belong_together_is_never_signed(query: SignToken, tenant: TenantId | None) -> None:
    """Even a gateway that was taken over gets no token across the realms."""
    with pytest.raises(Invalid):
        check(query, tenant)


@pytest.mark.parametrize(
    "statement",
    [
        "",
        "not JSON",
        "[]",
        "{}",
        '{"kind": "mannequin.erasure.v1", "tenant_sha256": "%s"}',
        '{"kind": "invoice", "tenant_sha256": "%s"}',
        '{"kind": ["mannequin.erasure.v1/tenant"], "tenant_sha256": "%s"}',
        '{"kind": "mannequin.erasure.v1/tenant", "tenant_sha256": "of another"}',
        '{"kind": "mannequin.erasure.v1/tenant"}',
    ],
)
def test_nothing_but_a_certificate_about_the_named_tenant_is_signed(statement: str) -> None:
    """The platform's key is no oracle."""
    sha256 = "ab" * 32
    text = statement.replace("%s", sha256)
    with pytest.raises(NotAStatement):
        statements.check(SignStatement(statement=text, tenant_sha256=sha256))
