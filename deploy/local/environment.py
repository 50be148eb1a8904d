"""Which services there are, and the environment that each gets: its own passwords and nobody else's."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from deploy.local.ports import HOST
from deploy.local.state import State, write_private

# In the order of their start; the gateway, which lets work in, is last to start and first to stop.
SERVICES = ("tenants", "batch", "inference", "webhooks", "gateway")


@dataclass(frozen=True)
class Addresses:
    """Where the servers and services of one local system are. Ports are of loopback."""

    bus_url: SecretStr
    objects_url: str
    gateway_port: int
    database_urls: Mapping[str, SecretStr]  # by login role: "<service>" and "<service>_platform"
    health_ports: Mapping[str, int]  # by service

    @property
    def api_url(self) -> str:
        """The address of the public API."""
        return f"http://{HOST}:{self.gateway_port}"


def login_roles() -> list[str]:
    """Every login role of the database: two a service, one within a tenant and one across tenants."""
    return [role for service in SERVICES for role in (service, f"{service}_platform")]


def shared_environment(addresses: Addresses) -> dict[str, str]:
    """What every process gets, the command line included."""
    return {
        "MANNEQUIN_ENV": "local",
        "MANNEQUIN_BUS_URL": addresses.bus_url.get_secret_value(),
        "MANNEQUIN_OBJECTS_URL": addresses.objects_url,
    }


def service_environment(service: str, addresses: Addresses, webhooks_key: SecretStr) -> dict[str, str]:
    """What one service gets beyond the environment of the supervisor."""
    prefix = service.upper()
    own = {
        f"{prefix}_DATABASE_URL": addresses.database_urls[service].get_secret_value(),
        f"{prefix}_PLATFORM_DATABASE_URL": addresses.database_urls[f"{service}_platform"].get_secret_value(),
        f"{prefix}_HEALTH_PORT": str(addresses.health_ports[service]),
        "PYTHONUNBUFFERED": "1",
    }
    return shared_environment(addresses) | own | _extras(service, addresses, webhooks_key)


def _extras(service: str, addresses: Addresses, webhooks_key: SecretStr) -> dict[str, str]:
    if service == "gateway":
        return {"GATEWAY_HOST": HOST, "GATEWAY_PORT": str(addresses.gateway_port)}
    if service == "webhooks":
        return {
            "WEBHOOKS_SECRET_KEY": webhooks_key.get_secret_value(),
            "WEBHOOKS_API_URL": addresses.api_url,
            "WEBHOOKS_ALLOW_PRIVATE": os.environ.get("WEBHOOKS_ALLOW_PRIVATE", "true"),
        }
    return {}


def _file(root: Path) -> Path:
    return root / "environment.json"


def save_environment(state: State, addresses: Addresses) -> None:
    """Leaves the shared environment in the state folder, for commands in another terminal."""
    shared = shared_environment(addresses) | {"MANNEQUIN_API_URL": addresses.api_url}
    write_private(_file(state.root), json.dumps(shared, indent=1))


def local_environment(root: Path) -> dict[str, str]:
    """The shared environment of the system that runs, or last ran, on this state folder; empty without one.

    MANNEQUIN_ENV, MANNEQUIN_BUS_URL, MANNEQUIN_OBJECTS_URL, MANNEQUIN_API_URL.
    """
    file = _file(root)
    return dict(json.loads(file.read_text())) if file.exists() else {}
