"""API keys in memory, and those that are read when they are used."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network

import pytest
from starlette.datastructures import Headers

from libs.common.api_keys import GeneratedKey, ParsedKey, generate, parse
from libs.common.contracts.access import DEFAULT_KEY_PERMISSIONS, ActorKind
from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import KeyMode
from services.gateway.auth.bearer import in_headers
from services.gateway.auth.caller import Caller
from services.gateway.auth.keyring import KeyRing, KnownKey


@dataclass
class Store:
    """A table of keys that counts how often it is read; `gate` holds every reading up once it has looked."""

    rows: dict[str, KnownKey] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)
    gate: asyncio.Event | None = None

    def add(self, key: GeneratedKey, **changes: object) -> KnownKey:
        caller = Caller(TenantId.new(), ApiKeyId.new(), ActorKind.API_KEY, DEFAULT_KEY_PERMISSIONS)
        known = replace(KnownKey(key.public_id, key.sha256, caller), **changes)  # type: ignore[arg-type]
        self.rows[key.public_id] = known
        return known

    async def by_public_id(self, public_id: str) -> KnownKey | None:
        return await self._read(public_id)

    async def by_id(self, tenant: TenantId, key_id: ApiKeyId) -> KnownKey | None:
        mine = [one for one in self.rows.values() if one.caller.subject == key_id]
        return await self._read(mine[0].public_id if mine else "")

    async def _read(self, name: str) -> KnownKey | None:
        self.reads.append(name)
        found = self.rows.get(name)
        if self.gate:
            await self.gate.wait()
        return found


def shown(key: GeneratedKey) -> ParsedKey:
    parsed = parse(key.secret.get_secret_value())
    assert parsed is not None
    return parsed


async def test_a_key_is_read_once_and_then_known() -> None:
    """Found by its visible part, and proven by the hash of the whole."""
    store, key = Store(), generate(KeyMode.LIVE)
    known, ring = store.add(key), KeyRing(store)
    assert [await ring.find(shown(key)) for _ in range(3)] == [known] * 3
    assert store.reads == [key.public_id]


async def test_unknown_and_wrong_keys_are_nobodys() -> None:
    """Nor is one that shares the visible part of another. An unknown one is looked for but once."""
    store, key, other = Store(), generate(KeyMode.LIVE), generate(KeyMode.LIVE)
    store.add(key, sha256=other.sha256)
    ring = KeyRing(store)
    for _ in range(3):
        assert await ring.find(shown(key)) is None
        assert await ring.find(shown(other)) is None
    assert store.reads == [key.public_id, other.public_id]


async def test_a_key_that_many_use_at_once_is_read_once() -> None:
    """After a start, everything comes at the same time."""
    store, key = Store(gate=asyncio.Event()), generate(KeyMode.LIVE)
    known, ring = store.add(key), KeyRing(store)
    asking = [asyncio.create_task(ring.find(shown(key))) for _ in range(50)]
    await asyncio.sleep(0)
    assert store.gate is not None
    store.gate.set()
    assert await asyncio.gather(*asking) == [known] * 50
    assert len(store.reads) == 1


async def test_a_revocation_reaches_a_key_that_is_held() -> None:
    """By its visible part and by its id, which tokens name it by."""
    store, key = Store(), generate(KeyMode.TEST)
    known, ring = store.add(key), KeyRing(store)
    key_id = ApiKeyId(known.caller.subject)
    assert await ring.find(shown(key)) == await ring.of(known.caller.tenant, key_id) == known
    ring.learn([replace(known, revoked=True)])
    for found in (await ring.find(shown(key)), await ring.of(known.caller.tenant, key_id)):
        assert found is not None
        assert found.revoked


async def test_a_revocation_during_a_reading_is_not_lost() -> None:
    """The reading saw the row as it was before: it reads again."""
    store, key = Store(gate=asyncio.Event()), generate(KeyMode.LIVE)
    known, ring = store.add(key), KeyRing(store)
    asking = asyncio.create_task(ring.find(shown(key)))
    while not store.reads:
        await asyncio.sleep(0)
    store.rows[key.public_id] = replace(known, revoked=True)
    ring.learn([store.rows[key.public_id]])
    assert store.gate is not None
    store.gate.set()
    found = await asking
    assert found is not None
    assert found.revoked


async def test_a_key_that_was_asked_for_too_early_is_found_once_it_is_there() -> None:
    """That it was not there is remembered, but not for longer than that is true."""
    store, key = Store(), generate(KeyMode.LIVE)
    ring = KeyRing(store)
    assert await ring.find(shown(key)) is None
    known = store.add(key)
    ring.learn([known])
    assert await ring.find(shown(key)) == known


async def test_no_more_keys_are_held_than_there_is_room_for() -> None:
    """The ones used last stay."""
    store, keys = Store(), [generate(KeyMode.LIVE) for _ in range(4)]
    for key in keys:
        store.add(key)
    ring = KeyRing(store, most=3)
    for key in keys:
        await ring.find(shown(key))
    held = [ring.holds(shown(key)) for key in keys]
    assert held == [False, True, True, True]


async def test_an_error_of_the_store_reaches_those_who_asked_and_is_forgotten() -> None:
    """The next one reads again."""
    store, key = Store(), generate(KeyMode.LIVE)
    known, ring, broken = store.add(key), KeyRing(store), True

    async def read(public_id: str) -> KnownKey | None:
        if broken:
            raise ConnectionError
        return store.rows[public_id]

    store.by_public_id = read  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        await ring.find(shown(key))
    broken = False
    assert await ring.find(shown(key)) == known


@pytest.mark.parametrize(
    ("networks", "address", "allowed"),
    [
        ((), None, True),
        ((), "203.0.113.9", True),
        (("203.0.113.0/24",), "203.0.113.9", True),
        (("203.0.113.0/24",), "203.0.114.9", False),
        (("203.0.113.0/24",), None, False),
        (("203.0.113.0/24", "2001:db8::/32"), "2001:db8::7", True),
        (("0.0.0.0/0",), "2001:db8::7", False),
    ],
)
def test_a_key_may_be_used_from_its_networks(
    networks: tuple[str, ...], address: str | None, allowed: bool
) -> None:
    """From anywhere where it has none."""
    known = Store().add(generate(KeyMode.LIVE), networks=tuple(map(ip_network, networks)))
    assert known.allows(ip_address(address) if address else None) is allowed


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
    assert in_headers(Headers(headers)) == key


def test_a_caller_found_before_the_revocation_is_admitted_no_longer() -> None:
    """An event stream outlives the check at its start, so it asks again before each event."""
    store = Store()
    known, ring = store.add(generate(KeyMode.LIVE)), KeyRing(store)
    assert ring.admits(known.caller)
    ring.learn([replace(known, revoked=True)])
    assert not ring.admits(known.caller)
