"""The settings that services have in common."""

from __future__ import annotations

from typing import TypeVar

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.common.settings.transit import PRODUCTION, environment, in_the_clear

Settings = TypeVar("Settings", bound=BaseSettings)


class BusSettings(BaseSettings):
    """Where the broker is: nats://user:password@host:port or amqp://user:password@host:port/vhost."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    bus_url: SecretStr = Field(validation_alias=AliasChoices("MANNEQUIN_BUS_URL", "bus_url"))


class ServiceSettings(BusSettings):
    """Every service process: the bus, its private health port and its telemetry."""

    health_host: str = "127.0.0.1"
    health_port: int = 0
    log_level: str = Field("info", validation_alias=AliasChoices("MANNEQUIN_LOG_LEVEL", "log_level"))
    otlp_endpoint: str | None = Field(
        None, validation_alias=AliasChoices("MANNEQUIN_OTLP_ENDPOINT", "otlp_endpoint")
    )


class DatabaseSettings(ServiceSettings):
    """A service with a database: the URLs of its tenant role and of its platform role."""

    database_url: SecretStr
    platform_database_url: SecretStr
    database_connections: int = Field(10, ge=2, le=100)


def load(settings: type[Settings]) -> Settings:
    """Read `settings` from the environment; ends the program with the names of what is missing or wrong.

    In production (MANNEQUIN_ENV, the default) also with those of connections without TLS.
    """
    try:
        return _encrypted(settings())
    except ValidationError as error:
        wrong = ", ".join(f"{_variable(settings, e['loc'])} ({e['msg']})" for e in error.errors())
        # No `from`: pydantic's own message would print the values, secrets among them.
        raise SystemExit(f"settings are missing or wrong: {wrong}") from None


def _encrypted(read: Settings) -> Settings:
    plain = in_the_clear(read) if environment() == PRODUCTION else []
    if plain:
        raise SystemExit(
            f"in production every server is spoken to over TLS: {'; '.join(plain)} (MANNEQUIN_ENV=local says "
            "that this is one machine for trying out)"
        )
    return read


def _variable(settings: type[BaseSettings], location: tuple[int | str, ...]) -> str:
    name = str(location[0]) if location else "settings"
    return name if name.isupper() else f"{settings.model_config.get('env_prefix', '')}{name}".upper()
