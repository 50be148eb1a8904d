"""Settings of the webhooks service (`WEBHOOKS_…`)."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from libs.common.settings import DatabaseSettings
from services.webhooks.seal import Seal


class WebhooksSettings(DatabaseSettings):
    """secret_key: Fernet keys, comma-separated; the first encrypts, all decrypt.

    api_url: public address of the API, for links in payloads. allow_private: deliver to http and to addresses
    that are not public; for one machine, never in production. timeout_s: of one try. keep_days: how long
    deliveries stay listed after they were made.
    """

    model_config = SettingsConfigDict(
        env_prefix="WEBHOOKS_", frozen=True, extra="ignore", populate_by_name=True
    )

    secret_key: SecretStr
    api_url: str = Field(pattern=r"^https?://[^/]")
    allow_private: bool = False
    concurrency: int = Field(200, ge=1, le=5000)
    tenant_concurrency: int = Field(24, ge=1, le=1000)
    endpoint_concurrency: int = Field(8, ge=1, le=1000)
    timeout_s: float = Field(15, gt=0, le=45)
    keep_days: int = Field(30, ge=8, le=365)

    @field_validator("secret_key")
    @classmethod
    def _are_fernet_keys(cls, keys: SecretStr) -> SecretStr:
        try:
            Seal(keys)
        except ValueError:
            raise ValueError("each key must be 32 bytes in URL-safe base64 (Fernet.generate_key())") from None
        return keys
