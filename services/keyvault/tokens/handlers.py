"""The bus edge of tokens."""

from __future__ import annotations

from datetime import timedelta

from libs.common.bus.bus import Bus, Delivery
from libs.common.contracts.tokens import GetTokenKeys, IssuedToken, RotateTokenKey, SignToken, TokenKeys
from libs.common.db import Database
from services.keyvault.tokens.keys import KeyBook
from services.keyvault.tokens.service import Tokens
from services.keyvault.tokens.vault import TokenVault


async def attach(bus: Bus, database: Database, vault: TokenVault, *, lead_s: float) -> None:
    """Answer for tokens. lead_s: how long a new key is published before it signs."""
    tokens = Tokens(database, vault, bus, KeyBook(vault, timedelta(seconds=lead_s)))

    async def sign(delivery: Delivery) -> IssuedToken:
        assert isinstance(delivery.message, SignToken)
        return await tokens.sign(delivery.message, delivery.envelope.tenant_id)

    async def keys(delivery: Delivery) -> TokenKeys:
        assert isinstance(delivery.message, GetTokenKeys)
        return await tokens.keys(delivery.message)

    async def rotate(delivery: Delivery) -> TokenKeys:
        assert isinstance(delivery.message, RotateTokenKey)
        return await tokens.rotate(delivery.message)

    await bus.respond(SignToken, sign)
    await bus.respond(GetTokenKeys, keys)
    await bus.respond(RotateTokenKey, rotate)
