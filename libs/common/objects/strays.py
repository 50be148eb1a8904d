"""What a sweep for forgotten uploads goes by: whose they are, and when they were begun.

Uploads are named by ULIDs, so that their age needs no question to the storage, whose clock is another.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from ulid import ULID

from libs.common.contracts.ids import TenantId
from libs.common.objects.objects import Objects


async def tenants_in(objects: Objects) -> list[TenantId]:
    """Tenants of whom anything is stored; what is not named after one is not ours."""
    tenants: list[TenantId] = []
    for name in await objects.folders("tenants/"):
        with suppress(ValueError):
            tenants.append(TenantId(name))
    return tenants


def begun_before(name: str, moment: datetime) -> bool:
    """Whether what is named by a ULID was begun before `moment`; what is not named so never was."""
    try:
        return ULID.from_str(name.rpartition("_")[2].upper()).datetime < moment
    except ValueError:
        return False
