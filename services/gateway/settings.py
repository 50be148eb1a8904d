"""Settings of the gateway (`GATEWAY_…`)."""

from __future__ import annotations

from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from libs.common.settings import DatabaseSettings

GIB = 2**30


class GatewaySettings(DatabaseSettings):
    """public_url: what links in answers begin with; as the request says if absent.

    rate_per_s, burst: the token bucket of each caller, in each replica.
    address_rate_per_s, address_burst: that of each address, where nobody need sign in.
    forwarded_allow_ips: proxies whose X-Forwarded-For and -Proto are believed.
    base_domain: tenants are at `<slug>.<base_domain>`; only at their own domains without it.
    cors_origins: web origins that browsers may call from, as a JSON list; none if empty.
    cookie_secure: whether cookies of sessions need https; off for a machine of one's own alone.
    docs_folder: the built documentation site, served at /docs/; without it /docs alone is there.
    drain_s: how long requests under way may take to end when the process stops.
    """

    model_config = SettingsConfigDict(
        env_prefix="GATEWAY_", frozen=True, extra="ignore", populate_by_name=True
    )

    objects_url: SecretStr = Field(validation_alias=AliasChoices("MANNEQUIN_OBJECTS_URL", "objects_url"))
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    public_url: str | None = Field(None, pattern=r"^https?://[^/\s]+[^/\s]*$")
    rate_per_s: float = Field(100, gt=0)
    burst: int = Field(500, ge=1)
    address_rate_per_s: float = Field(20, gt=0)
    address_burst: int = Field(200, ge=1)
    max_archive_bytes: int = Field(8 * GIB, ge=1)
    max_photo_bytes: int = Field(50_000_000, ge=1)
    base_domain: str | None = Field(None, pattern=r"^[a-z0-9.-]+$")
    cors_origins: tuple[str, ...] = ()
    cookie_secure: bool = True
    forwarded_allow_ips: str = "127.0.0.1"
    docs_folder: Path | None = None
    drain_s: float = Field(8, ge=0)
