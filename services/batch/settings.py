"""Settings of the batch service (`BATCH_…`)."""

from __future__ import annotations

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from libs.common.settings import DatabaseSettings


class BatchSettings(DatabaseSettings):
    """queued_s: rendering time that may be released ahead, the longest that a newcomer waits behind others.

    remote_queued_s and remote_chunk: the same for what tenants' providers compute, whose calls take longer; a
    smaller chunk shows sooner that a key failed.
    render_timeout_s: after it, an image whose outcome never came is released again.
    stray_after_h: an upload that became nothing after so long is removed; longer than any broker may be away.
    """

    model_config = SettingsConfigDict(env_prefix="BATCH_", frozen=True, extra="ignore", populate_by_name=True)

    objects_url: SecretStr = Field(validation_alias=AliasChoices("MANNEQUIN_OBJECTS_URL", "objects_url"))
    queued_s: float = Field(0.5, gt=0, le=60)
    chunk: int = Field(16, ge=1, le=64)
    remote_queued_s: float = Field(2, gt=0, le=60)
    remote_chunk: int = Field(8, ge=1, le=64)
    splitters: int = Field(4, ge=1, le=64)
    render_timeout_s: float = Field(900, ge=10)
    stray_after_h: float = Field(24, ge=1)
