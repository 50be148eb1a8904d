"""Secrets on their way in: opened here, checked against the provider's card, and never written down."""

from __future__ import annotations

from collections.abc import Mapping

from libs.common.contracts.credentials import SealedSecret
from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.contracts.providers import ProviderName
from libs.common.providers.cards import card
from libs.common.providers.fields import Fields, fit
from libs.common.providers.models import refuse_retired
from libs.common.sealing import NotSealedForThis, open_in_vault
from services.keyvault.clock import utc_now
from services.keyvault.vault import CiphertextLost, Context, Vault


async def take_in(
    vault: Vault, context: Context, settings: Mapping[str, str], sealed: SealedSecret
) -> Fields:
    """The fields of a credential. NotSealedForThis, FieldInvalid, ModelRetired, VaultUnavailable."""
    try:
        content_key = await vault.unwrap(sealed.key_version, sealed.wrapped_key)
    except CiphertextLost:
        raise NotSealedForThis from None
    secrets = open_in_vault(
        sealed, content_key, TenantId(context.tenant), CredentialId(context.credential_id)
    )
    known = card(ProviderName(context.provider))
    fields = fit(known, settings, secrets)
    refuse_retired(known, fields.settings, utc_now().date())
    return fields
