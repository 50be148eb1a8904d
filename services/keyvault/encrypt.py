"""The one way into the table of secrets: under the tenant's own key, bound to the row it is for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from libs.common.contracts.ids import TenantId
from libs.common.contracts.providers import FieldKind, ProviderName
from libs.common.providers.cards import card
from services.keyvault.vault import Context, Vault

_SHOWN = 4
_KEY_ID = "private_key_id"
"""What Google's service-account files call the name of their key, which is no secret."""


@dataclass(frozen=True)
class Kept:
    """What the database keeps of a secret. `key_version`: of the transit key."""

    ciphertext: str = field(repr=False)
    key_version: int
    last_four: str
    fingerprint: str


async def encrypt(vault: Vault, context: Context, secrets: Mapping[str, str]) -> Kept:
    """Encrypt the secret fields of one credential. VaultUnavailable."""
    tenant, plain = TenantId(context.tenant), _plain(secrets)
    await vault.ensure_tenant_key(tenant)
    ciphertext = await vault.encrypt(tenant, context, plain)
    # The tenant is in it: equal secrets of two tenants must not be seen to be equal.
    fingerprint = await vault.fingerprint(f"{tenant}|{context.provider}|".encode() + plain)
    return Kept(
        ciphertext=ciphertext.text,
        key_version=ciphertext.key_version,
        last_four=last_four(ProviderName(context.provider), secrets),
        fingerprint=fingerprint,
    )


def last_four(provider: ProviderName, secrets: Mapping[str, str]) -> str:
    """The end of the main secret, by which its owner knows it; of a short one less: most stays hidden."""
    main = next(one for one in card(provider).fields if one.secret and one.name in secrets)
    value = secrets[main.name]
    if main.kind is FieldKind.JSON:
        value = str(json.loads(value).get(_KEY_ID, ""))
    shown = min(_SHOWN, len(value) // 4)
    return value[len(value) - shown :]


def _plain(secrets: Mapping[str, str]) -> bytes:
    """The same bytes for the same fields, so that they have the same fingerprint."""
    return json.dumps(dict(secrets), sort_keys=True, separators=(",", ":")).encode()
