"""Settings of signing in, of letters and of single sign-on (`TENANTS_…`)."""

from __future__ import annotations

from datetime import timedelta
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class PeopleSettings(BaseSettings):
    """public_url: what links in letters begin with, and where identity providers send people back to.

    password_*: parameters of argon2id (RFC 9106), OWASP's first choice; a hash of others is renewed when its
    owner signs in. password_threads: hashes made at once.
    refresh_grace_s: for how long a refresh may come twice.
    smtp_url: where letters go, smtps://… or smtp://…?starttls=required with what is needed to log in; without
    one, whoever invites passes the link on. mail_from: their sender.
    sso_allow_private: identity providers may be on private addresses and without TLS: one machine alone.
    """

    model_config = SettingsConfigDict(
        env_prefix="TENANTS_", frozen=True, extra="ignore", populate_by_name=True
    )

    public_url: str = Field("http://127.0.0.1:8080", pattern=r"^https?://[^/\s]+[^/\s]*$")
    password_memory_kib: int = Field(47_104, ge=8, le=2**20)
    password_rounds: int = Field(1, ge=1, le=20)
    password_threads: int = Field(2, ge=1, le=64)
    session_days: int = Field(30, ge=1, le=365)
    session_idle_days: int = Field(7, ge=1, le=365)
    staff_session_hours: int = Field(12, ge=1, le=72)
    staff_session_idle_hours: int = Field(1, ge=1, le=72)
    refresh_grace_s: float = Field(10, ge=0, le=60)
    smtp_url: SecretStr | None = None
    mail_from: str | None = Field(None, pattern=r"^[^@\s<>]+@[^@\s<>]+$")
    sso_allow_private: bool = False

    @model_validator(mode="after")
    def _letters_have_a_sender(self) -> Self:
        if self.smtp_url is None:
            return self
        parts = urlsplit(self.smtp_url.get_secret_value())
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError(
                "smtp_url is smtp://[user:password@]host[:port][?starttls=required], or smtps://…"
            )
        if not self.mail_from:
            raise ValueError("mail_from is needed where smtp_url is set")
        return self

    @property
    def session_life(self) -> timedelta:
        return timedelta(days=self.session_days)

    @property
    def session_idle(self) -> timedelta:
        return timedelta(days=self.session_idle_days)

    @property
    def staff_session_life(self) -> timedelta:
        return timedelta(hours=self.staff_session_hours)

    @property
    def staff_session_idle(self) -> timedelta:
        return timedelta(hours=self.staff_session_idle_hours)

    @property
    def refresh_grace(self) -> timedelta:
        return timedelta(seconds=self.refresh_grace_s)
