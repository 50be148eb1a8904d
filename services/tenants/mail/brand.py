"""Under which brand a letter goes out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from libs.common.contracts.ids import TenantId
from libs.common.db import Transaction


@dataclass(frozen=True, slots=True)
class Brand:
    """name: in the text. sender: the name before the address. colour: of the button, `#rrggbb`."""

    name: str = "Invisible Mannequin"
    sender: str = "Invisible Mannequin"
    support_url: str | None = None
    colour: str = "#1f4fd8"


BrandOf = Callable[[Transaction, TenantId], Awaitable[Brand]]
"""The brand of a tenant, asked for in its own transaction."""


async def own_brand(_: Transaction, __: TenantId) -> Brand:
    """The platform's, for whoever has none."""
    return Brand()
