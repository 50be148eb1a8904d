"""Which keys the vault holds of a tenant: for the search after an erasure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from deploy.vault.bootstrap import MOUNT, connect
from libs.common.contracts.ids import TenantId
from libs.common.errors import Unavailable

if TYPE_CHECKING:
    from deploy.vault.bootstrap import Client

_ROLE = "rotate"


@dataclass(frozen=True)
class VaultAccess:
    """token: an operator's, with which all keys are listed. Without it, the login of the role that may look
    at a tenant's key: no login of the platform may list the tenants.
    """

    address: str
    ca: Path | None = None
    approles: Path | None = None
    token: SecretStr | None = None


def keys_named(access: VaultAccess, words: Sequence[str]) -> list[str]:
    """Names of transit keys in which one of the words stands, or those of the tenants among the words.

    Blocking. Unavailable where the vault does not let us look.
    """
    import hvac  # type: ignore[import-untyped]
    import requests

    try:
        client = connect(access.address, access.token or SecretStr(""), access.ca)
        if access.token is not None:
            return _listed(client, words)
        client.auth.approle.login(*_login(access))
        return [name for name in _names(words) if client.read(f"{MOUNT}/keys/{name}") is not None]
    except (hvac.exceptions.VaultError, requests.RequestException, OSError) as error:
        raise Unavailable(f"the vault's keys can't be looked at: {type(error).__name__}") from error


def _listed(client: Client, words: Sequence[str]) -> list[str]:
    """Names of keys have hyphens for the underscores of ids."""
    answer = client.list(f"{MOUNT}/keys")
    names: list[str] = answer["data"]["keys"] if answer else []
    forms = {form for word in words for form in (word, word.replace("_", "-"))}
    return [name for name in names if any(form in name for form in forms)]


def _names(words: Sequence[str]) -> list[str]:
    """Of every key that a tenant may have."""
    from services.keyvault.transit import key_of, secrets_key_of

    names: list[str] = []
    for word in words:
        if word.startswith(f"{TenantId.prefix}_"):
            names += [key_of(TenantId(word)), secrets_key_of(TenantId(word))]
    return names


def _login(access: VaultAccess) -> tuple[str, str]:
    if access.approles is None:
        raise Unavailable("neither a token nor a login for the vault was given")
    role, secret = (access.approles / f"{_ROLE}.{kind}" for kind in ("role-id", "secret-id"))
    return role.read_text().strip(), secret.read_text().strip()
