"""Access tokens of anybody, signed by the running system's own vault: what a login would give."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from pydantic import SecretStr

from deploy.local.environment import Addresses
from libs.common.bus.connect import connect
from libs.common.contracts.access import ROLES, STAFF_ROLES, AnyPermission, Role, StaffRole
from libs.common.contracts.ids import StaffId, TenantId, UserId
from libs.common.contracts.tokens import Realm, SignToken

_FRESH_S = 300.0


class Badge:
    """A token of one subject, signed again before it runs out."""

    def __init__(
        self,
        addresses: Addresses,
        subject: str,
        permissions: Iterable[AnyPermission],
        tenant: TenantId | None,
    ) -> None:
        self.subject = subject
        self._addresses = addresses
        self._scope = " ".join(sorted(permissions))
        self._tenant = tenant
        self._token = SecretStr("")
        self._signed_at = float("-inf")

    @property
    def headers(self) -> dict[str, str]:
        """What a request carries. Capitals and all: schemathesis looks for that very name."""
        if time.monotonic() - self._signed_at > _FRESH_S:
            self._token, self._signed_at = asyncio.run(self._sign()), time.monotonic()
        return {"Authorization": f"Bearer {self._token.get_secret_value()}"}

    async def _sign(self) -> SecretStr:
        bus = connect(self._addresses.bus_url, "gateway")
        await bus.start()
        try:
            audience = Realm.TENANT if self._tenant else Realm.PLATFORM
            query = SignToken(aud=audience, sub=self.subject, scope=self._scope)
            return (await bus.request(query, tenant=self._tenant)).token
        finally:
            await bus.close()


def member(addresses: Addresses, tenant: TenantId, role: Role, user: UserId | None = None) -> Badge:
    """Somebody of that role; a user who is there, or nobody that the tenant knows."""
    return Badge(addresses, user or UserId.new(), ROLES[role], tenant)


def staff(addresses: Addresses, role: StaffRole) -> Badge:
    """One of the platform's people."""
    return Badge(addresses, StaffId.new(), STAFF_ROLES[role], None)
