"""In production no connection leaves the machine unencrypted."""

from __future__ import annotations

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from libs.common.settings import BusSettings, load
from libs.common.settings.transit import environment, in_the_clear


class Somewhere(BaseSettings):
    """One connection."""

    server_url: SecretStr
    label: str = "http://looks-like.one/but: is not"


@pytest.mark.parametrize(
    "url",
    [
        "nats://bus.inside:4222",
        "amqp://user:pass@bus.inside/",
        "postgresql://db.inside/mannequin",
        "postgresql://db.inside/mannequin?sslmode=require",
        "postgresql://db.inside/mannequin?sslmode=prefer",
        "http://collector.inside:4318",
        "smtp://mail.inside",
    ],
)
def test_what_goes_over_a_network_in_the_clear_is_named(url: str) -> None:
    """By its setting and how to mend it, and without what stands in it."""
    (found,) = in_the_clear(Somewhere(server_url=SecretStr(url), label="x"))
    assert found.startswith("server_url: ")
    assert "inside" not in found


@pytest.mark.parametrize(
    "url",
    [
        "tls://bus.inside:4222",
        "amqps://bus.inside/",
        "postgresql://db.inside/mannequin?sslmode=verify-full&sslrootcert=/ca.pem",
        "https://collector.inside",
        "smtps://mail.inside",
        "smtp://mail.inside?starttls=required",
        "s3://bucket/prefix",
        "file:///var/lib/mannequin",
        "nats://127.0.0.1:4222",
        "postgresql://localhost/mannequin",
        "http://[::1]:4318",
    ],
)
def test_what_is_encrypted_or_stays_on_the_machine_is_fine(url: str) -> None:
    """A proxy beside the process is reached over loopback."""
    assert in_the_clear(Somewhere(server_url=SecretStr(url), label="x")) == []


def test_a_service_refuses_to_start_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which it is unless it is told otherwise; the refusal shows no password."""
    monkeypatch.setenv("MANNEQUIN_BUS_URL", "nats://user:swordfish@bus.inside:4222")
    monkeypatch.delenv("MANNEQUIN_ENV", raising=False)
    with pytest.raises(SystemExit, match="bus_url: use tls://") as refused:
        load(BusSettings)
    assert "swordfish" not in str(refused.value)
    monkeypatch.setenv("MANNEQUIN_ENV", "local")
    assert load(BusSettings).bus_url.get_secret_value().startswith("nats://user")


def test_production_is_what_nobody_has_to_say() -> None:
    """The stricter one."""
    assert environment({}) == "production"
