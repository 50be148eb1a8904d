"""The second factor of users: set up, confirmed, asked for, removed."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import SecretStr

from libs.common.audit.record import record
from libs.common.bus.bus import Bus
from libs.common.contracts.ids import TenantId, UserId
from libs.common.contracts.people import (
    BeginTotp,
    ConfirmTotp,
    Done,
    RecoveryCodes,
    RemoveTotp,
    TotpEnrolment,
)
from libs.common.contracts.tokens import ProtectSecret, RevealSecret, SecretPurpose
from libs.common.db import Database, Row
from services.tenants.people import codes, store
from services.tenants.people.backoff import Attempt, Backoff
from services.tenants.people.errors import NoTotp, TotpActive, WrongCode
from services.tenants.people.store import sql

ISSUER = "Invisible Mannequin"


class SecondFactor:
    """The use cases. The secret is in the vault's hands: here is its ciphertext alone."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus
        self._backoff = Backoff(database)

    async def begin(self, query: BeginTotp, tenant: TenantId) -> TotpEnrolment:
        """A new secret; one that was begun and not confirmed is forgotten. NoSuchUser, TotpActive."""
        async with self._database.tenant(tenant) as tx:
            user = await store.get(tx, tenant, query.user_id)
        secret = codes.new_secret()
        kept = await self._bus.request(
            ProtectSecret(purpose=SecretPurpose.TOTP, owner=query.user_id, secret=SecretStr(secret)),
            tenant=tenant,
        )
        async with self._database.tenant(tenant) as tx:
            if await tx.fetchval(sql.begin_totp, tenant, query.user_id, kept.ciphertext) is None:
                raise TotpActive
        uri = codes.uri(secret, user["email"], ISSUER)
        return TotpEnrolment(secret=SecretStr(secret), uri=SecretStr(uri))

    async def confirm(self, query: ConfirmTotp, tenant: TenantId) -> RecoveryCodes:
        """From now on a code is asked for. NoSuchUser, NoTotp, TotpActive, WrongCode."""
        async with self._database.tenant(tenant) as tx:
            user = await store.get(tx, tenant, query.user_id)
        if user["totp_active"]:
            raise TotpActive
        step = await self._step(tenant, user, query.code)
        fresh = codes.new_recovery_codes()
        kept = user["totp_ciphertext"]
        async with self._database.tenant(tenant) as tx:
            if step is None or not await tx.fetchval(sql.activate_totp, tenant, query.user_id, kept, step):
                raise WrongCode
            await tx.execute(sql.delete_recovery_codes, tenant, query.user_id)
            digests = [codes.recovery_digest(code) for code in fresh]
            await tx.execute(sql.insert_recovery_codes, tenant, query.user_id, digests)
            record(tx, "totp.activated", query.user_id)
        return RecoveryCodes(codes=tuple(map(SecretStr, fresh)))

    async def remove(self, query: RemoveTotp, tenant: TenantId) -> Done:
        """NoSuchUser, NoTotp, WrongCode, TooManyAttempts."""
        attempt = Attempt(f"totp:{query.user_id}", None)
        await self._backoff.admit(attempt)
        if not await self.takes(tenant, query.user_id, query.code):
            raise WrongCode
        await self._backoff.succeeded(attempt)
        async with self._database.tenant(tenant) as tx:
            await tx.execute(sql.remove_totp, tenant, query.user_id)
            await tx.execute(sql.delete_recovery_codes, tenant, query.user_id)
            record(tx, "totp.removed", query.user_id)
        return Done()

    async def takes(self, tenant: TenantId, user_id: UserId, code: SecretStr) -> bool:
        """Whether it is a code of now, or a recovery code; it is used up. NoSuchUser, NoTotp."""
        async with self._database.tenant(tenant) as tx:
            user = await store.get(tx, tenant, user_id)
            if not user["totp_active"]:
                raise NoTotp
            digest = codes.recovery_digest(code.get_secret_value())
            if await tx.fetchval(sql.take_recovery_code, tenant, user_id, digest):
                record(tx, "totp.recovery_code_used", user_id)
                return True
        step = await self._step(tenant, user, code)
        if step is None:
            return False
        async with self._database.tenant(tenant) as tx:
            kept = user["totp_ciphertext"]
            return bool(await tx.fetchval(sql.take_totp, tenant, user_id, kept, step))

    async def _step(self, tenant: TenantId, user: Row, code: SecretStr) -> int | None:
        if user["totp_ciphertext"] is None:
            raise NoTotp
        revealed = await self._bus.request(
            RevealSecret(purpose=SecretPurpose.TOTP, owner=user["id"], ciphertext=user["totp_ciphertext"]),
            tenant=tenant,
        )
        secret = revealed.secret.get_secret_value()
        return codes.step_of(secret, code.get_secret_value(), datetime.now(UTC), user["totp_step"])
