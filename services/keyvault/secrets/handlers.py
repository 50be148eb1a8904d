"""The bus edge of kept secrets and statements."""

from __future__ import annotations

from libs.common.bus.bus import Bus, Delivery
from libs.common.contracts.erasure import SignedStatement, SignStatement
from libs.common.contracts.tokens import Protected, ProtectSecret, Revealed, RevealSecret
from libs.common.db import Database
from services.keyvault.secrets.service import KeptSecrets
from services.keyvault.secrets.statements import sign
from services.keyvault.secrets.vault import SecretsVault


async def attach(bus: Bus, database: Database, vault: SecretsVault) -> None:
    """Answer for kept secrets and for statements."""
    secrets = KeptSecrets(database, vault)

    async def protect(delivery: Delivery) -> Protected:
        assert isinstance(delivery.message, ProtectSecret)
        return await secrets.protect(delivery.message, delivery.envelope.tenant_id)

    async def reveal(delivery: Delivery) -> Revealed:
        assert isinstance(delivery.message, RevealSecret)
        return await secrets.reveal(delivery.message, delivery.envelope.tenant_id)

    async def statement(delivery: Delivery) -> SignedStatement:
        assert isinstance(delivery.message, SignStatement)
        return await sign(vault, delivery.message)

    await bus.respond(ProtectSecret, protect)
    await bus.respond(RevealSecret, reveal)
    await bus.respond(SignStatement, statement)
