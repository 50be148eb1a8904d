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
SERVICES = ("tenants", "keyvault", "batch", "inference", "webhooks", "gateway")
DOCS = Path(__file__).parents[2] / "build" / "docs"
# By their own names, which service each is: one code base may run in several roles.
PROCESSES: Mapping[str, str] = {
    "tenants": "tenants",
    "keyvault": "keyvault",
    "batch": "batch",
    "inference": "inference",
    "inference-remote": "inference",
    "webhooks": "webhooks",
    "gateway": "gateway",
}


@dataclass(frozen=True)
class VaultAddress:
    """Where the vault is: its authority's certificate, and the folder of the keyvault's logins."""

    url: str
    ca: Path
    approles: Path


@dataclass(frozen=True)
class Addresses:
    """Where the servers and services of one local system are. Ports are of loopback."""

    bus_url: SecretStr
    objects_url: str
    gateway_port: int
    database_urls: Mapping[str, SecretStr]  # by login role: "<service>" and "<service>_platform"
    health_ports: Mapping[str, int]  # by process
    vault: VaultAddress

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


def process_environment(process: str, addresses: Addresses, webhooks_key: SecretStr) -> dict[str, str]:
    """What one process gets beyond the environment of the supervisor."""
    service = PROCESSES[process]
    prefix = service.upper()
    own = {
        f"{prefix}_DATABASE_URL": addresses.database_urls[service].get_secret_value(),
        f"{prefix}_PLATFORM_DATABASE_URL": addresses.database_urls[f"{service}_platform"].get_secret_value(),
        f"{prefix}_HEALTH_PORT": str(addresses.health_ports[process]),
        "PYTHONUNBUFFERED": "1",
    }
    return shared_environment(addresses) | own | _extras(process, addresses, webhooks_key)


def _extras(process: str, addresses: Addresses, webhooks_key: SecretStr) -> dict[str, str]:
    match process:
        case "gateway":
            return {
                "GATEWAY_HOST": HOST,
                "GATEWAY_PORT": str(addresses.gateway_port),
                **_by_default("GATEWAY_COOKIE_SECURE", "false"),
                **_by_default("GATEWAY_BASE_DOMAIN", "localhost"),
                **_built_docs(),
            }
        case "tenants":
            return {
                "TENANTS_PUBLIC_URL": addresses.api_url,
                **_by_default("TENANTS_SSO_ALLOW_PRIVATE", "true"),
                **_by_default("TENANTS_ERASURE_SETTLE_S", "5"),  # a quarter of an hour elsewhere
            }
        case "webhooks":
            return {
                "WEBHOOKS_SECRET_KEY": webhooks_key.get_secret_value(),
                "WEBHOOKS_API_URL": addresses.api_url,
                **_by_default("WEBHOOKS_ALLOW_PRIVATE", "true"),
            }
        case "keyvault":
            return _vault_environment(addresses.vault)
        case "inference-remote":
            return {
                "INFERENCE_ROLE": "remote",
                **_by_default("INFERENCE_REMOTE_ALLOW_PRIVATE", "true"),
                **_by_default("INFERENCE_REMOTE_PLACES", str(2 * (os.cpu_count() or 1))),
            }
        case _:
            return {}


def _built_docs() -> dict[str, str]:
    """The documentation site, where it was built."""
    return {"GATEWAY_DOCS_FOLDER": str(DOCS)} if DOCS.exists() else {}


def _vault_environment(vault: VaultAddress) -> dict[str, str]:
    """In place of whatever vault the user's shell is set to."""
    return {
        "VAULT_ADDR": vault.url,
        "VAULT_CACERT": str(vault.ca),
        "VAULT_NAMESPACE": "",
        "KEYVAULT_AUTH": "approle",
        "KEYVAULT_APPROLE_FOLDER": str(vault.approles),
    }


def _by_default(name: str, value: str) -> dict[str, str]:
    """On one machine tenants' endpoints may be on it; the user's own setting comes first."""
    return {name: os.environ.get(name, value)}


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
