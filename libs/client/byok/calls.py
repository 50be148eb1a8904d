"""The calls of keys, routing and usage as values. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import SecretStr

from libs.client.byok.models import (
    Credential,
    CredentialProvider,
    CredentialTerms,
    Quotas,
    RoutingPolicy,
    Savings,
    Usage,
)
from libs.client.calls import BASE, Call, get, post, quoted, reading
from libs.client.models import Page

Secret = Mapping[str, str | SecretStr]
"""Secret fields by their names."""


def create_credential(
    provider: str,
    label: str,
    secret: Secret,
    settings: Mapping[str, str] | None,
    terms: CredentialTerms | None,
    key: str | None,
) -> Call[Credential]:
    body = {
        **_plain(terms or {}),
        "provider": provider,
        "label": label,
        "settings": dict(settings or {}),
        "secret": _revealed(secret),
    }
    return post("/credentials", Credential, key=key, json=body)


def list_credentials() -> Call[Page[Credential]]:
    return get("/credentials", Page[Credential])


def get_credential(credential_id: str) -> Call[Credential]:
    return get(_path(credential_id), Credential)


def change_credential(credential_id: str, terms: CredentialTerms) -> Call[Credential]:
    return Call("PATCH", BASE + _path(credential_id), reading(Credential), json=_plain(terms))


def verify_credential(credential_id: str) -> Call[Credential]:
    return post(f"{_path(credential_id)}/verify", Credential)


def replace_secret(
    credential_id: str,
    secret: Secret,
    settings: Mapping[str, str] | None,
    grace_s: int | None,
    key: str,
) -> Call[Credential]:
    """With an idempotency key, as a PUT that is sent again would be a replacement of its own."""
    given: dict[str, Any] = {"settings": settings and dict(settings), "grace_s": grace_s}
    body = {"secret": _revealed(secret)} | {name: value for name, value in given.items() if value is not None}
    headers = {"idempotency-key": key}
    path = f"{BASE}{_path(credential_id)}/secret"
    return Call("PUT", path, reading(Credential), json=body, headers=headers)


def roll_back_credential(credential_id: str) -> Call[Credential]:
    return post(f"{_path(credential_id)}/rollback", Credential)


def disable_credential(credential_id: str) -> Call[Credential]:
    return post(f"{_path(credential_id)}/disable", Credential)


def enable_credential(credential_id: str) -> Call[Credential]:
    return post(f"{_path(credential_id)}/enable", Credential)


def delete_credential(credential_id: str) -> Call[None]:
    return Call("DELETE", BASE + _path(credential_id), lambda _: None)


def list_credential_providers() -> Call[Page[CredentialProvider]]:
    return get("/credential-providers", Page[CredentialProvider])


def get_routing_policy() -> Call[RoutingPolicy]:
    return get("/routing-policy", RoutingPolicy)


def set_routing_policy(
    policy: str, when_unavailable: str, fallback_monthly_cap: Decimal | str | None
) -> Call[RoutingPolicy]:
    body = _plain(
        {
            "policy": policy,
            "when_unavailable": when_unavailable,
            "fallback_monthly_cap": fallback_monthly_cap,
        }
    )
    return Call("PUT", f"{BASE}/routing-policy", reading(RoutingPolicy), json=body)


def get_usage(start: date | None, end: date | None, group_by: Sequence[str]) -> Call[Usage]:
    return get("/usage", Usage, **_period(start, end), **_grouped(group_by))


def get_usage_csv(start: date | None, end: date | None, group_by: Sequence[str]) -> Call[str]:
    params = {**_given(_period(start, end)), **_given(_grouped(group_by)), "format": "csv"}
    return Call("GET", f"{BASE}/usage", lambda body: body.decode(), params=params)


def get_savings(start: date | None, end: date | None) -> Call[Savings]:
    return get("/usage/savings", Savings, **_period(start, end))


def get_quotas() -> Call[Quotas]:
    return get("/usage/quotas", Quotas)


def _path(credential_id: str) -> str:
    return f"/credentials/{quoted(credential_id)}"


def _period(start: date | None, end: date | None) -> dict[str, Any]:
    return {"from": start and start.isoformat(), "to": end and end.isoformat()}


def _grouped(group_by: Sequence[str]) -> dict[str, Any]:
    return {"group_by": ",".join(group_by) or None}


def _given(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _revealed(secret: Secret) -> dict[str, str]:
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in secret.items()
    }


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON has it: money as text, moments as RFC 3339 says."""
    return {name: _text(value) for name, value in values.items()}


def _text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
