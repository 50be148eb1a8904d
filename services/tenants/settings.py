"""Settings of the tenants service (`TENANTS_…`)."""

from __future__ import annotations

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from libs.common.settings import DatabaseSettings
from services.tenants.people.settings import PeopleSettings


class TenantsSettings(PeopleSettings, DatabaseSettings):
    """base_domain: tenants are at `<slug>.<base_domain>`; none are without it.

    erasure_settle_s: how long work on a tenant's images may still go on after its erasure began; by then
    every render has ended or was given up. erasure_repeat_s: after which a service that did not report is
    told again. erasure_poll_s: between looks at erasures. backup_days: after how long the platform's backups
    expire; certificates say it.
    dns_server: `address` or `address:port` that proofs of ownership are looked up at; this machine's own
    resolvers if absent.
    """

    model_config = SettingsConfigDict(
        env_prefix="TENANTS_", frozen=True, extra="ignore", populate_by_name=True
    )

    objects_url: SecretStr = Field(validation_alias=AliasChoices("MANNEQUIN_OBJECTS_URL", "objects_url"))
    base_domain: str | None = Field(
        None,
        pattern=r"^[a-z0-9.-]+$",
        validation_alias=AliasChoices("TENANTS_BASE_DOMAIN", "GATEWAY_BASE_DOMAIN", "base_domain"),
    )
    dns_server: str | None = Field(None, pattern=r"^[0-9a-fA-F.:]+$")
    erasure_settle_s: float = Field(900, ge=0, le=86_400)
    erasure_repeat_s: float = Field(60, ge=1, le=3600)
    erasure_poll_s: float = Field(2, gt=0, le=60)
    backup_days: int = Field(35, ge=0, le=3650)
