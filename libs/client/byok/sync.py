"""Keys, routing and usage for ordinary code. `aio.py` is the same for asyncio."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from libs.client.byok import calls
from libs.client.byok.calls import Secret
from libs.client.byok.models import (
    Credential,
    CredentialProvider,
    CredentialTerms,
    Quotas,
    RoutingPolicy,
    Savings,
    Usage,
)
from libs.client.models import Page

if TYPE_CHECKING:
    from libs.client.sync import Transport


class Credentials:
    """`client.credentials`. Secrets go in and never come out; they are in no repr, error or log."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self,
        provider: str,
        label: str,
        secret: Secret,
        *,
        settings: Mapping[str, str] | None = None,
        terms: CredentialTerms | None = None,
        idempotency_key: str | None = None,
    ) -> Credential:
        """Store a key, checked at its provider before the answer; `health` says what came of that.

        secret and settings: as `credential_providers.list` says of the provider.
        """
        return self._transport.send(
            calls.create_credential(provider, label, secret, settings, terms, idempotency_key)
        )

    def list(self) -> Page[Credential]:
        return self._transport.send(calls.list_credentials())

    def get(self, credential_id: str) -> Credential:
        return self._transport.send(calls.get_credential(credential_id))

    def change(self, credential_id: str, terms: CredentialTerms) -> Credential:
        """New terms; what is not among them stays as it is."""
        return self._transport.send(calls.change_credential(credential_id, terms))

    def verify(self, credential_id: str) -> Credential:
        """Check it now, at no cost."""
        return self._transport.send(calls.verify_credential(credential_id))

    def replace(
        self,
        credential_id: str,
        secret: Secret,
        *,
        settings: Mapping[str, str] | None = None,
        grace_s: int | None = None,
        idempotency_key: str | None = None,
    ) -> Credential:
        """A new secret, which takes over once it was checked; else Conflict (`replacement_not_verified`).

        grace_s: seconds for which the old one can be brought back, a day if None.
        """
        key = idempotency_key or str(uuid.uuid4())
        return self._transport.send(calls.replace_secret(credential_id, secret, settings, grace_s, key))

    def roll_back(self, credential_id: str) -> Credential:
        """Bring the secret before back."""
        return self._transport.send(calls.roll_back_credential(credential_id))

    def disable(self, credential_id: str) -> Credential:
        """Workers drop it at once; its secret is kept."""
        return self._transport.send(calls.disable_credential(credential_id))

    def enable(self, credential_id: str) -> Credential:
        return self._transport.send(calls.enable_credential(credential_id))

    def delete(self, credential_id: str) -> None:
        self._transport.send(calls.delete_credential(credential_id))


class CredentialProviders:
    """`client.credential_providers`"""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Page[CredentialProvider]:
        """What each provider asks for, can do and costs."""
        return self._transport.send(calls.list_credential_providers())


class RoutingPolicies:
    """`client.routing_policy`"""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self) -> RoutingPolicy:
        return self._transport.send(calls.get_routing_policy())

    def set(
        self,
        policy: str,
        *,
        when_unavailable: str = "wait",
        fallback_monthly_cap: Decimal | str | None = None,
    ) -> RoutingPolicy:
        """policy: platform, byok_only or byok_then_platform. when_unavailable: wait or fail."""
        return self._transport.send(calls.set_routing_policy(policy, when_unavailable, fallback_monthly_cap))


class UsageReports:
    """`client.usage`. Days are UTC; the present month, or the last year of savings, if none are given."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(
        self, start: date | None = None, end: date | None = None, *, group_by: Sequence[str] = ()
    ) -> Usage:
        """group_by: any of day, provider and payer; all if empty."""
        return self._transport.send(calls.get_usage(start, end, group_by))

    def csv(self, start: date | None = None, end: date | None = None, *, group_by: Sequence[str] = ()) -> str:
        """The same as CSV."""
        return self._transport.send(calls.get_usage_csv(start, end, group_by))

    def savings(self, start: date | None = None, end: date | None = None) -> Savings:
        """What your keys moved to your own accounts, by month."""
        return self._transport.send(calls.get_savings(start, end))

    def quotas(self) -> Quotas:
        """What your plan allows, and how much of it is taken."""
        return self._transport.send(calls.get_quotas())
