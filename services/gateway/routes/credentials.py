"""Keys of tenants: stored in the vault, checked at their provider, and never shown again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import Path
from fastapi.responses import Response
from pydantic import SecretStr

from libs.common.contracts import credentials as contract
from libs.common.contracts.access import Permission
from libs.common.contracts.credentials import CredentialTerms, SealedSecret
from libs.common.contracts.ids import CredentialId
from libs.common.contracts.message import Query as BusQuery
from libs.common.contracts.providers import ProviderName
from libs.common.errors import Conflict
from libs.common.providers import card
from libs.common.providers.fields import Fields, fit
from libs.common.providers.models import refuse_retired
from services.gateway import examples, responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.byok_views import Credential, CredentialPage, today
from services.gateway.credential_bodies import ChangedTerms, NewCredential, NewSecret, revealed
from services.gateway.gateway import Acting, Ask, Asking
from services.gateway.idempotency import Answer
from services.gateway.sealing import CHECKED_S

_CHANGE_TRIES = 5
router = guarded_router(prefix="/api/v1", tags=["Credentials"])
CredentialPath = Annotated[
    CredentialId, Path(description="Id of the credential.", examples=[examples.CREDENTIAL_ID])
]


@router.post(
    "/credentials",
    status_code=201,
    summary="Store a credential",
    response_model=Credential,
    responses=responses.errors(409, 413),
    openapi_extra=needs(Permission.CREDENTIALS_WRITE),
)
async def create_credential(body: NewCredential, act: Acting) -> Response:
    """The secret is encrypted for the vault at once and checked at its provider, at no cost, before the
    answer; if that takes longer than some seconds the key is `unverified`, with the reason, and the check
    goes on. Needs a plan with keys of your own.

    A repeat under the same Idempotency-Key, with the same API key, is recognised without keeping anything of
    the secret.
    """
    fields = _fitting(body.provider, body.settings, body.secret)
    credential_id = await act.id_for_secret(CredentialId)

    def query(sealed: SealedSecret) -> contract.CreateCredential:
        return contract.CreateCredential(
            credential_id=credential_id,
            provider=body.provider,
            terms=body.terms(),
            settings=dict(fields.settings),
            secret=sealed,
        )

    async def work() -> Answer:
        created = await act.gateway.sealer.send(act.tenant, credential_id, fields.secrets, query)
        return _answer(created, 201, {"Location": f"{act.links.base}/credentials/{created.id}"})

    return await act.once_with_secret(work)


@router.get(
    "/credentials",
    summary="List credentials",
    responses=responses.errors(),
    openapi_extra=needs(Permission.CREDENTIALS_READ),
)
async def list_credentials(ask: Asking) -> CredentialPage:
    """All of them, the oldest first, with their health."""
    found = await ask.service(contract.ListCredentials())
    oldest_first = sorted(found.items, key=lambda credential: (credential.created_at, credential.id))
    return CredentialPage(items=tuple(map(Credential.of, oldest_first)))


@router.get(
    "/credentials/{credential_id}",
    summary="Get a credential",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.CREDENTIALS_READ),
)
async def get_credential(credential_id: CredentialPath, ask: Asking) -> Credential:
    """Never with its secret: only the last four characters and a fingerprint."""
    return Credential.of(await _get(ask, credential_id))


@router.patch(
    "/credentials/{credential_id}",
    summary="Change the terms of a credential",
    responses=responses.errors(404, 413),
    openapi_extra=needs(Permission.CREDENTIALS_WRITE),
)
async def change_credential(credential_id: CredentialPath, body: ChangedTerms, ask: Asking) -> Credential:
    """Label, priority, cap, regions, models, end, whether it is enabled: what is absent stays as it is."""
    return await _changed(ask, credential_id, body.over)


@router.delete(
    "/credentials/{credential_id}",
    status_code=204,
    summary="Delete a credential",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.CREDENTIALS_WRITE),
)
async def delete_credential(credential_id: CredentialPath, ask: Asking) -> None:
    """Its ciphertexts are forgotten and no worker may use it any more; what waits goes by your policy."""
    await ask.service(contract.DeleteCredential(credential_id=credential_id))


@router.post(
    "/credentials/{credential_id}/verify",
    summary="Check a credential",
    response_model=Credential,
    responses=responses.errors(404, 409),
    openapi_extra=needs(Permission.CREDENTIALS_WRITE),
)
async def verify_credential(credential_id: CredentialPath, act: Acting) -> Response:
    """Asks its provider now, at no cost, and says how it stands."""
    query = contract.VerifyCredential(credential_id=credential_id)
    return await act.once(lambda: _asked(act, query))


@router.put(
    "/credentials/{credential_id}/secret",
    summary="Replace the secret of a credential",
    response_model=Credential,
    responses=responses.errors(404, 409, 413),
    openapi_extra=needs(Permission.CREDENTIALS_WRITE),
)
async def replace_secret(credential_id: CredentialPath, body: NewSecret, act: Acting) -> Response:
    """The new secret is checked first and takes over only if it works (else `replacement_not_verified`): the
    old one is in use until then, and can be brought back for `grace_s` seconds.
    """
    before = await _get(act, credential_id)
    settings = before.settings if body.settings is None else body.settings
    fields = _fitting(before.provider, settings, body.secret)

    def query(sealed: SealedSecret) -> contract.ReplaceCredential:
        return contract.ReplaceCredential(
            credential_id=credential_id,
            settings=None if body.settings is None else dict(fields.settings),
            secret=sealed,
            grace_s=body.grace_s,
        )

    async def work() -> Answer:
        return _answer(await act.gateway.sealer.send(act.tenant, credential_id, fields.secrets, query))

    return await act.once_with_secret(work)


@router.post(
    "/credentials/{credential_id}/rollback",
    summary="Bring the secret before back",
    response_model=Credential,
    responses=responses.errors(404, 409),
    openapi_extra=needs(Permission.CREDENTIALS_WRITE),
)
async def roll_back_credential(credential_id: CredentialPath, act: Acting) -> Response:
    """Within the grace time of a replacement; `previous_until` says how long that is."""
    query = contract.RollBackCredential(credential_id=credential_id)
    return await act.once(lambda: _asked(act, query))


@router.post(
    "/credentials/{credential_id}/disable",
    summary="Disable a credential",
    response_model=Credential,
    responses=responses.errors(404, 409),
    openapi_extra=needs(Permission.CREDENTIALS_WRITE),
)
async def disable_credential(credential_id: CredentialPath, act: Acting) -> Response:
    """Workers drop it at once; it keeps its secret. Disabling twice is fine."""
    return await act.once(lambda: _enabled(act, credential_id, enabled=False))


@router.post(
    "/credentials/{credential_id}/enable",
    summary="Enable a credential",
    response_model=Credential,
    responses=responses.errors(404, 409),
    openapi_extra=needs(Permission.CREDENTIALS_WRITE),
)
async def enable_credential(credential_id: CredentialPath, act: Acting) -> Response:
    """What waits for it goes on. Enabling twice is fine."""
    return await act.once(lambda: _enabled(act, credential_id, enabled=True))


def _fitting(provider: ProviderName, settings: Mapping[str, str], secret: Mapping[str, SecretStr]) -> Fields:
    """The fields as the provider's card asks for them. FieldInvalid, ModelRetired."""
    known = card(provider)
    fields = fit(known, settings, revealed(secret))
    refuse_retired(known, fields.settings, today())
    return fields


async def _get(ask: Ask, credential_id: CredentialId) -> contract.Credential:
    return await ask.service(contract.GetCredential(credential_id=credential_id))


async def _asked(ask: Ask, query: BusQuery[contract.Credential]) -> Answer:
    return _answer(await ask.service(query, CHECKED_S))


async def _enabled(ask: Ask, credential_id: CredentialId, *, enabled: bool) -> Answer:
    shown = await _changed(ask, credential_id, lambda terms: terms.model_copy(update={"enabled": enabled}))
    return Answer(200, shown.model_dump(mode="json"))


async def _changed(
    ask: Ask, credential_id: CredentialId, change: Callable[[CredentialTerms], CredentialTerms]
) -> Credential:
    """The credential under changed terms; one that changes nothing is not told to the vault.

    Of two changes at the same time, neither undoes the other: the later one starts again from the earlier.
    """
    for left in reversed(range(_CHANGE_TRIES)):
        credential = await _get(ask, credential_id)
        before = CredentialTerms.model_validate(
            credential.model_dump(include=set(CredentialTerms.model_fields))
        )
        after = change(before)
        if after == before:
            break
        query = contract.UpdateCredential(credential_id=credential_id, terms=after, before=before)
        try:
            credential = await ask.service(query)
            break
        except Conflict:
            if not left:
                raise
    return Credential.of(credential)


def _answer(
    credential: contract.Credential, status: int = 200, headers: dict[str, str] | None = None
) -> Answer:
    return Answer(status, Credential.of(credential).model_dump(mode="json"), headers or {})
