"""API keys in memory."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.datastructures import Headers

from libs.common.api_keys import GeneratedKey, generate
from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import KeyMode
from services.gateway.auth.bearer import presented
from services.gateway.auth.caller import Caller
from services.gateway.auth.keyring import KeyRing, KnownKey

CALLER = Caller(TenantId.new(), ApiKeyId.new(), KeyMode.LIVE)


def known(key: GeneratedKey, *, revoked: bool = False) -> KnownKey:
    return KnownKey(key.public_id, key.sha256, CALLER, revoked)


def test_a_known_key_is_its_tenants() -> None:
    """Found by its visible part, and proven by the hash of the whole."""
    keys, key = KeyRing(), generate(KeyMode.LIVE)
    keys.learn([known(key)])
    assert keys.find(key.secret.get_secret_value()) == CALLER


def test_unknown_wrong_and_malformed_keys_are_nobodys() -> None:
    """Nor is one that shares the visible part of another."""
    keys, key, other = KeyRing(), generate(KeyMode.LIVE), generate(KeyMode.LIVE)
    keys.learn([replace(known(key), sha256=other.sha256)])
    for text in (key.secret.get_secret_value(), other.secret.get_secret_value(), "im_live_x", ""):
        assert keys.find(text) is None


def test_a_revoked_key_is_nobodys() -> None:
    """From the moment that it is learned."""
    keys, key = KeyRing(), generate(KeyMode.TEST)
    keys.learn([known(key)])
    keys.learn([known(key, revoked=True)])
    assert keys.find(key.secret.get_secret_value()) is None


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"authorization": "Bearer im_1"}, "im_1"),
        ({"authorization": "bearer  im_1 "}, "im_1"),
        ({"x-api-key": " im_2 "}, "im_2"),
        ({"authorization": "Bearer im_1", "x-api-key": "im_2"}, "im_1"),
        ({"authorization": "Basic abc", "x-api-key": "im_2"}, "im_2"),
        ({"authorization": "im_1"}, ""),
        ({}, ""),
    ],
)
def test_a_key_comes_in_either_header(headers: dict[str, str], key: str) -> None:
    """Bearer goes before X-API-Key."""
    assert presented(Headers(headers)) == key


def test_a_caller_found_before_the_revocation_is_admitted_no_longer() -> None:
    """An event stream outlives the check at its start, so it asks again before each event."""
    ring, found = KeyRing(), generate(KeyMode.LIVE)
    caller = Caller(TenantId.new(), ApiKeyId.new(), KeyMode.LIVE)
    ring.learn([KnownKey(found.public_id, found.sha256, caller, revoked=False)])
    assert ring.admits(caller)

    ring.learn([KnownKey(found.public_id, found.sha256, caller, revoked=True)])

    assert not ring.admits(caller)
