"""Two-phase replacement of a secret: the new one is checked before use, the old one kept for a while."""

from __future__ import annotations

from libs.common.contracts.credentials import Credential, ReplaceCredential, RollBackCredential
from libs.common.contracts.ids import CredentialId, ProbeId, TenantId
from libs.common.contracts.providers import ProviderName
from libs.common.db import Database, Row, Transaction
from libs.common.providers.fields import Fields
from services.keyvault import audit, store, versions
from services.keyvault.audit import Actor
from services.keyvault.checks import Checks, Finding
from services.keyvault.encrypt import Kept, encrypt
from services.keyvault.errors import NothingToRollBackTo, ReplacementNotVerified, ReplacementUnderWay
from services.keyvault.health import observations
from services.keyvault.intake import take_in
from services.keyvault.revoke import Revoker, end_leases
from services.keyvault.vault import Context, Vault
from services.keyvault.versions import Status

_SPARE_S = 30.0
"""A pending secret outlives its check by so much; then who asked for it is dead, and the sweep takes it."""


class Replacements:
    """Replacing a secret, and bringing the one before it back."""

    def __init__(self, database: Database, vault: Vault, checks: Checks, revoker: Revoker) -> None:
        self._database = database
        self._vault = vault
        self._checks = checks
        self._revoker = revoker

    async def replace(self, query: ReplaceCredential, tenant: TenantId) -> Credential:
        """Use a new secret, once it was found to work.

        NoSuchCredential, NotSealedForThis, FieldInvalid, ModelRetired, ReplacementUnderWay,
        ReplacementNotVerified, VaultUnavailable, KeyMoved.
        """
        async with self._database.tenant(tenant) as tx:
            row = await store.get(tx, tenant, query.credential_id)
            before = await versions.epoch(tx, tenant)
        context = Context(tenant, row["provider"], query.credential_id)
        settings = row["settings"] if query.settings is None else query.settings
        fields = await take_in(self._vault, context, settings, query.secret)
        kept = await encrypt(self._vault, context, fields.secrets)
        async with self._database.tenant(tenant) as tx:
            await versions.hold_key(tx, tenant, before, kept)
            version, probe = await self._propose(tx, tenant, query.credential_id, fields, kept)
        finding = await self._checks.wait(tenant, probe)
        return await self._decide(query, tenant, version, finding)

    async def roll_back(self, query: RollBackCredential, tenant: TenantId) -> Credential:
        """Use the secret before this one again, at once; the two change places, and it is checked anew.

        NoSuchCredential, NothingToRollBackTo.
        """
        credential_id = query.credential_id
        async with self._database.tenant(tenant) as tx:
            row = await store.lock(tx, tenant, credential_id)
            there = await versions.by_status(tx, tenant, credential_id)
            previous, left = there.get(Status.PREVIOUS), row["version"]
            if previous is None or previous["left_s"] <= 0:
                raise NothingToRollBackTo
            back, keep_s = previous["version"], previous["left_s"]
            await versions.use(tx, tenant, credential_id, back, old=left, keep_s=keep_s)
            await end_leases(tx, tenant, credential_id, [left])
            await observations.replaced(tx, tenant, credential_id, good=False)
            after = await store.changed(tx, row)
            await audit.of_credential(tx, tenant, "rolled_back", after, Actor.API, {"from": str(left)})
            probe = await self._checks.ask(
                tx, tenant, credential_id, after.version, after.provider, after.settings
            )
        await self._revoker.tell(tenant, credential_id, [left])
        await self._checks.wait(tenant, probe)
        return await self._shown(tenant, credential_id)

    async def _propose(
        self, tx: Transaction, tenant: TenantId, credential_id: CredentialId, fields: Fields, kept: Kept
    ) -> tuple[int, ProbeId]:
        """Keep the new secret beside the one in use and have it checked. ReplacementUnderWay."""
        row = await store.lock(tx, tenant, credential_id)
        there = await versions.by_status(tx, tenant, credential_id)
        if (other := there.get(Status.PENDING)) is not None:
            if other["left_s"] > 0:
                raise ReplacementUnderWay
            await versions.forget(tx, tenant, credential_id, [other["version"]])
        version = await versions.next_number(tx, tenant, credential_id)
        for_s = self._checks.limit_s + _SPARE_S
        await versions.insert(
            tx, tenant, credential_id, version, kept, fields.settings, Status.PENDING, for_s
        )
        told = {"version": str(version), "last_four": kept.last_four, "fingerprint": kept.fingerprint}
        await audit.record(tx, tenant, "credential.replacement_proposed", credential_id, Actor.API, told)
        provider = ProviderName(row["provider"])
        probe = await self._checks.ask(tx, tenant, credential_id, version, provider, dict(fields.settings))
        return version, probe

    async def _decide(
        self, query: ReplaceCredential, tenant: TenantId, version: int, finding: Finding
    ) -> Credential:
        credential_id = query.credential_id
        async with self._database.tenant(tenant) as tx:
            row = await store.lock(tx, tenant, credential_id)
            there = await versions.by_status(tx, tenant, credential_id)
            pending = there.get(Status.PENDING)
            if pending is None or pending["version"] != version:
                finding = Finding(answered=True, fault="it was given up or erased while it was being checked")
            if finding.good:
                gone = await self._promote(tx, tenant, row, there, version, query.grace_s)
            else:
                await self._refuse(tx, tenant, credential_id, version, finding)
        if not finding.good:
            raise ReplacementNotVerified(f"the new secret was not found to work: {finding.fault}")
        await self._revoker.tell(tenant, credential_id, gone)
        return await self._shown(tenant, credential_id)

    async def _promote(
        self,
        tx: Transaction,
        tenant: TenantId,
        row: Row,
        there: dict[Status, Row],
        version: int,
        grace_s: int,
    ) -> list[int]:
        """Use the new secret; the versions that went."""
        credential_id, old = CredentialId(row["id"]), row["version"]
        gone = [there[Status.PREVIOUS]["version"]] if Status.PREVIOUS in there else []
        gone += [] if grace_s else [old]
        await versions.use(tx, tenant, credential_id, version, old=old, keep_s=grace_s)
        if gone:
            await versions.forget(tx, tenant, credential_id, gone)
            await end_leases(tx, tenant, credential_id, gone)
        await observations.replaced(tx, tenant, credential_id, good=True)
        after = await store.changed(tx, row)
        await audit.of_credential(tx, tenant, "replaced", after, Actor.API, {"from": str(old)})
        return gone

    async def _refuse(
        self, tx: Transaction, tenant: TenantId, credential_id: CredentialId, version: int, finding: Finding
    ) -> None:
        await versions.forget(tx, tenant, credential_id, [version])
        detail = {"version": str(version), "reason": finding.fault or ""}
        await audit.record(
            tx, tenant, "credential.replacement_refused", credential_id, Actor.KEYVAULT, detail
        )

    async def _shown(self, tenant: TenantId, credential_id: CredentialId) -> Credential:
        async with self._database.tenant(tenant) as tx:
            return store.credential(await store.get(tx, tenant, credential_id))
