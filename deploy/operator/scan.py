"""The search for whatever is left of a tenant: database, objects, broker and vault."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from deploy.vault.keys import VaultAccess, keys_named
from libs.common.bus.remains import remains_at
from libs.common.db.search import search
from libs.common.objects import Objects


@dataclass(frozen=True)
class Places:
    """Where to look. admin_url: of a role that is above all walls of the database."""

    admin_url: SecretStr
    objects_url: SecretStr
    bus_url: SecretStr
    vault: VaultAccess


Findings = Mapping[str, Mapping[str, int]]
"""How often, by place and, in it, by column, object, queue or key; places without any are in."""


async def scan(places: Places, words: Sequence[str]) -> Findings:
    """Where one of the words stands. Unavailable where a place can't be looked at: no clean result."""
    database, objects, broker, keys = await asyncio.gather(
        search(places.admin_url, words),
        _objects(Objects(places.objects_url), words),
        remains_at(places.bus_url).find(words),
        asyncio.to_thread(keys_named, places.vault, words),
    )
    return {"database": database, "objects": objects, "broker": broker, "vault": dict.fromkeys(keys, 1)}


def hits(findings: Findings) -> int:
    """All of them."""
    return sum(sum(found.values()) for found in findings.values())


async def _objects(objects: Objects, words: Sequence[str]) -> dict[str, int]:
    """By key; every one in the store is looked at."""
    found: dict[str, int] = {}
    async for slice_ in objects.list_prefix(""):
        for stored in slice_:
            if any(word in stored.key for word in words):
                found[stored.key] = 1
    return found
