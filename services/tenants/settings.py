"""Settings of the tenants service (`TENANTS_…`)."""

from __future__ import annotations

from pydantic_settings import SettingsConfigDict

from libs.common.settings import DatabaseSettings


class TenantsSettings(DatabaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="TENANTS_", frozen=True, extra="ignore", populate_by_name=True
    )
