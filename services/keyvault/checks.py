"""Waiting for what a probe finds out."""

from __future__ import annotations

from dataclasses import dataclass

from libs.common.contracts.credentials import Settings
from libs.common.contracts.ids import CredentialId, ProbeId, TenantId
from libs.common.contracts.providers import ProviderName
from libs.common.db import Database, Transaction
from services.keyvault.health import probes

NO_ANSWER = "The check did not end within {limit_s:g} s; it goes on by itself."


@dataclass(frozen=True)
class Finding:
    """What a check found. `fault`: why the credential does not work, in words; None if it does."""

    answered: bool
    fault: str | None

    @property
    def good(self) -> bool:
        return self.answered and self.fault is None


class Checks:
    """Asks for probes and waits for their answers, at most `limit_s` seconds for one."""

    def __init__(self, database: Database, limit_s: float) -> None:
        self._database = database
        self.limit_s = limit_s

    async def ask(
        self,
        tx: Transaction,
        tenant: TenantId,
        credential_id: CredentialId,
        version: int,
        provider: ProviderName,
        settings: Settings,
    ) -> ProbeId:
        """Have a version of a credential checked once the transaction commits."""
        return await probes.ask(tx, tenant, credential_id, version, provider, settings)

    async def wait(self, tenant: TenantId, probe_id: ProbeId) -> Finding:
        """What was found, or that there was no answer in time."""
        row = await probes.answered(self._database, tenant, probe_id, self.limit_s)
        if row is None:
            return Finding(answered=False, fault=self.no_answer)
        if row["fault_code"] is None:
            return Finding(answered=True, fault=None)
        return Finding(answered=True, fault=f"{row['fault_code']}: {row['fault_detail']}")

    @property
    def no_answer(self) -> str:
        return NO_ANSWER.format(limit_s=self.limit_s)
