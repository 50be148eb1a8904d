"""The vault for the tests: as the keyvault service reaches it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from deploy.local.servers.openbao import OpenBao
from services.keyvault.settings import VaultSettings
from services.keyvault.transit import TransitVault


def vault_settings(server: OpenBao, **changes: Any) -> VaultSettings:
    """The settings of a keyvault service that logs in to `server`."""
    given = {"vault_addr": server.url, "vault_ca": server.ca, "approle_folder": server.approles}
    return VaultSettings.model_validate(given | changes)


@asynccontextmanager
async def vault_of(server: OpenBao, **changes: Any) -> AsyncIterator[TransitVault]:
    """A started `TransitVault`."""
    vault = TransitVault(vault_settings(server, **changes))
    await vault.start()
    try:
        yield vault
    finally:
        await vault.close()
