"""What can be done with credentials, but for replacing their secrets (`replace.py`)."""

from __future__ import annotations

from libs.common.contracts.credentials import (
    CreateCredential,
    Credential,
    CredentialList,
    CredentialTerms,
    DeleteCredential,
    GetCredential,
    GetIntakeKey,
    IntakeKey,
    ListCredentials,
    UpdateCredential,
    VerifyCredential,
)
from libs.common.contracts.ids import CredentialId, ProbeId, TenantId
from libs.common.db import Database, Row, Transaction
from libs.common.providers.fields import Fields
from services.keyvault import audit, store, versions
from services.keyvault.audit import Actor
from services.keyvault.checks import Checks
from services.keyvault.encrypt import Kept, encrypt
from services.keyvault.errors import NotInPlan, TermsMoved, TooManyCredentials
from services.keyvault.intake import take_in
from services.keyvault.revoke import Revoker, end_leases
from services.keyvault.store import sql
from services.keyvault.vault import Context, Vault
from services.keyvault.versions import Status

MOST_CREDENTIALS = 50


class CredentialsService:
    """The use cases of tenants; what they change is told in the same transaction."""

    def __init__(self, database: Database, vault: Vault, checks: Checks, revoker: Revoker) -> None:
        self._database = database
        self._vault = vault
        self._checks = checks
        self._revoker = revoker

    async def intake_key(self, _: GetIntakeKey) -> IntakeKey:
        """VaultUnavailable."""
        return await self._vault.intake_key()

    async def create(self, query: CreateCredential, tenant: TenantId) -> Credential:
        """Keep a secret and see whether it works; the same id again answers with what the first one made.

        NotInPlan, TooManyCredentials, NotSealedForThis, FieldInvalid, ModelRetired, VaultUnavailable,
        KeyMoved.
        """
        async with self._database.tenant(tenant) as tx:
            if (made := await store.find(tx, tenant, query.credential_id)) is not None:
                return store.credential(made)
            await _may_add(tx, tenant)
            before = await versions.epoch(tx, tenant)
        context = Context(tenant, query.provider, query.credential_id)
        fields = await take_in(self._vault, context, query.settings, query.secret)
        kept = await encrypt(self._vault, context, fields.secrets)
        async with self._database.tenant(tenant) as tx:
            await versions.hold_key(tx, tenant, before, kept)
            if (made := await store.find(tx, tenant, query.credential_id)) is not None:
                return store.credential(made)
            await _may_add(tx, tenant)
            probe = await self._insert(tx, tenant, query, fields, kept)
        return await self._checked(tenant, query.credential_id, probe)

    async def list_all(self, _: ListCredentials, tenant: TenantId) -> CredentialList:
        async with self._database.tenant(tenant) as tx:
            rows = await tx.fetch(sql.show_credentials, tenant, None)
        return CredentialList(items=tuple(map(store.credential, rows)))

    async def get(self, query: GetCredential, tenant: TenantId) -> Credential:
        """NoSuchCredential."""
        async with self._database.tenant(tenant) as tx:
            return store.credential(await store.get(tx, tenant, query.credential_id))

    async def update(self, query: UpdateCredential, tenant: TenantId) -> Credential:
        """New terms; leases on one that is switched off end at once. NoSuchCredential, TermsMoved."""
        async with self._database.tenant(tenant) as tx:
            row = await store.lock(tx, tenant, query.credential_id)
            if query.before not in (None, _terms(store.credential(row))):
                raise TermsMoved
            await tx.execute(sql.update_terms, tenant, query.credential_id, *_columns(query.terms))
            ended = row["enabled"] and not query.terms.enabled
            if ended:
                await end_leases(tx, tenant, query.credential_id)
            after = await store.changed(tx, row)
            await audit.of_credential(
                tx, tenant, "updated", after, Actor.API, _differences(store.credential(row), after)
            )
        if ended:
            await self._revoker.tell(tenant, query.credential_id)
        return after

    async def verify(self, query: VerifyCredential, tenant: TenantId) -> Credential:
        """See now whether it works. NoSuchCredential."""
        async with self._database.tenant(tenant) as tx:
            row = await store.get(tx, tenant, query.credential_id)
            await audit.of_credential(tx, tenant, "verification_asked", store.credential(row), Actor.API)
            probe = await self._ask(tx, tenant, row)
        return await self._checked(tenant, query.credential_id, probe)

    async def delete(self, query: DeleteCredential, tenant: TenantId) -> Credential:
        """Forget every secret of it and end its leases; how it was. NoSuchCredential."""
        async with self._database.tenant(tenant) as tx:
            row = await store.lock(tx, tenant, query.credential_id)
            await delete(tx, tenant, row, Actor.API)
        await self._revoker.tell(tenant, query.credential_id)
        return store.credential(row)

    async def _insert(
        self, tx: Transaction, tenant: TenantId, query: CreateCredential, fields: Fields, kept: Kept
    ) -> ProbeId:
        about = (query.credential_id, query.provider, dict(fields.settings))
        await tx.execute(sql.insert_credential, tenant, *about, *_columns(query.terms))
        await versions.insert(tx, tenant, query.credential_id, 1, kept, fields.settings, Status.CURRENT)
        row = await store.get(tx, tenant, query.credential_id)
        await audit.of_credential(tx, tenant, "created", store.credential(row), Actor.API)
        await store.changed(tx, row)
        return await self._ask(tx, tenant, row)

    async def _ask(self, tx: Transaction, tenant: TenantId, row: Row) -> ProbeId:
        shown = store.credential(row)
        return await self._checks.ask(tx, tenant, shown.id, shown.version, shown.provider, shown.settings)

    async def _checked(self, tenant: TenantId, credential_id: CredentialId, probe: ProbeId) -> Credential:
        """How the credential stands after the check, or that there was no answer in time."""
        finding = await self._checks.wait(tenant, probe)
        async with self._database.tenant(tenant) as tx:
            found = store.credential(await store.get(tx, tenant, credential_id))
        if finding.answered:
            return found
        health = found.health.model_copy(update={"detail": self._checks.no_answer})
        return found.model_copy(update={"health": health})


async def delete(tx: Transaction, tenant: TenantId, row: Row, actor: Actor) -> None:
    """Forget all secrets of a locked credential; its row stays for the audit. Tell the workers after."""
    credential_id = CredentialId(row["id"])
    await versions.forget(tx, tenant, credential_id)
    await tx.execute(sql.delete_credential, tenant, credential_id)
    await end_leases(tx, tenant, credential_id)
    await audit.of_credential(tx, tenant, "deleted", await store.changed(tx, row), actor)


async def _may_add(tx: Transaction, tenant: TenantId) -> None:
    if not await tx.fetchval(sql.find_plan, tenant):
        raise NotInPlan
    if await tx.fetchval(sql.count_credentials, tenant) >= MOST_CREDENTIALS:
        raise TooManyCredentials


def _columns(terms: CredentialTerms) -> tuple[object, ...]:
    """In the order of the queries that write them."""
    return (
        terms.label,
        terms.enabled,
        terms.priority,
        terms.monthly_cap,
        list(terms.regions),
        list(terms.models),
        terms.expires_at,
    )


def _terms(credential: Credential) -> CredentialTerms:
    return CredentialTerms.model_validate(credential.model_dump(include=set(CredentialTerms.model_fields)))


def _differences(before: Credential, after: Credential) -> dict[str, str]:
    """The terms that changed, each with its new value."""
    return {
        name: str(getattr(after, name))
        for name in CredentialTerms.model_fields
        if getattr(before, name) != getattr(after, name)
    }
