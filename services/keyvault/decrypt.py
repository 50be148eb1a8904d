"""The one way out of the table of secrets, for leases alone."""

from __future__ import annotations

import json

from libs.common.contracts.ids import TenantId
from services.keyvault.vault import Context, Vault


async def decrypt(vault: Vault, context: Context, ciphertext: str) -> dict[str, str]:
    """The secret fields of a credential. CiphertextLost, VaultUnavailable.

    Not to be logged, kept or put into an exception.
    """
    fields = json.loads(await vault.decrypt(TenantId(context.tenant), context, ciphertext))
    return {str(name): str(value) for name, value in fields.items()}
