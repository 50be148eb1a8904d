"""Settings of the keyvault service: `KEYVAULT_…`, and `VAULT_ADDR`, `VAULT_CACERT`, `VAULT_NAMESPACE`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.common.settings import DatabaseSettings


class Role(StrEnum):
    """What the service is at the vault: a login and a policy each (`deploy/vault/policies/`)."""

    ENCRYPT = "encrypt"
    LEASE = "lease"
    ROTATE = "rotate"
    ERASE = "erase"
    SIGN = "sign"
    TOKEN = "token"  # noqa: S105  # no password but a role


class AuthMethod(StrEnum):
    APPROLE = "approle"
    KUBERNETES = "kubernetes"


class AppRole(BaseModel):
    """The login of one role by AppRole."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role_id: str
    secret_id: SecretStr


class VaultSettings(BaseSettings):
    """How to reach the vault, and how to log in to it.

    vault_ca: PEM file of the authorities to trust in place of the public ones. auth, auth_mount: the method
    and where it is mounted (None: at its own name). approles: JSON, `{"encrypt": {"role_id": …, "secret_id":
    …}, …}`; approle_folder instead: files `<role>.role-id` and `<role>.secret-id`, read at each login, so
    that new ones hold without a restart. kubernetes_token: the file of the service account's token;
    kubernetes_role: the role at the vault is this, a hyphen, and ours. transit_mount: of the secrets engine.

    vault_threads: calls on their way at a time. vault_timeout_s: of one call, connecting included.
    token_renewal: the share of a token's life after which it is renewed. watch_s: how often to look whether
    the vault can be used; token_check_s: how often to look at a token that is not in use.
    """

    model_config = SettingsConfigDict(
        env_prefix="KEYVAULT_", frozen=True, extra="ignore", populate_by_name=True
    )

    vault_addr: str = Field(
        validation_alias=AliasChoices("VAULT_ADDR", "vault_addr"), pattern=r"^https?://[^/@]+/?$"
    )
    vault_ca: Path | None = Field(None, validation_alias=AliasChoices("VAULT_CACERT", "vault_ca"))
    vault_namespace: str | None = Field(
        None, validation_alias=AliasChoices("VAULT_NAMESPACE", "vault_namespace")
    )
    auth: AuthMethod = AuthMethod.APPROLE
    auth_mount: str | None = None
    approles: dict[Role, AppRole] | None = None
    approle_folder: Path | None = None
    kubernetes_token: Path = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
    vault_threads: int = Field(4, ge=1, le=64)
    vault_timeout_s: float = Field(5, gt=0, le=60)
    token_renewal: float = Field(0.6, ge=0.1, le=0.9)
    watch_s: float = Field(5, gt=0, le=60)
    token_check_s: float = Field(30, gt=0, le=600)

    @model_validator(mode="after")
    def _has_one_login_a_role(self) -> Self:
        if self.auth is AuthMethod.APPROLE:
            if (self.approles is None) == (self.approle_folder is None):
                raise ValueError("AppRole needs either KEYVAULT_APPROLES or KEYVAULT_APPROLE_FOLDER")
            if self.approles is not None and (missing := set(Role) - set(self.approles)):
                raise ValueError(f"KEYVAULT_APPROLES lacks {', '.join(sorted(missing))}")
        return self


class KeyvaultSettings(VaultSettings, DatabaseSettings):
    """The vault's (see `VaultSettings`), and the service's own.

    check_s: how long a new credential's check is waited for before it is answered `unverified`.
    lease_s: how long a lease is good, in seconds.
    backup_days: after how long the platform's backups expire; certificates of erasure say it.
    token_key_lead_s: how long a new key for tokens is published before it signs; longer than any gateway
    takes to hear of it, in seconds.
    """

    model_config = SettingsConfigDict(
        env_prefix="KEYVAULT_", frozen=True, extra="ignore", populate_by_name=True
    )

    check_s: float = Field(8, gt=0, le=12)
    lease_s: float = Field(300, ge=10, le=3600)
    backup_days: int = Field(35, ge=0, le=3650)
    token_key_lead_s: float = Field(120, ge=0, le=3600)
