"""Rules of the local system that need no process: restarts, ports, secrets, who is told which password."""

from __future__ import annotations

import json
import socket
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.local.environment import (
    PROCESSES,
    SERVICES,
    Addresses,
    VaultAddress,
    login_roles,
    process_environment,
)
from deploy.local.errors import AlreadyRunning
from deploy.local.ports import HOST, Ports
from deploy.local.restarts import RestartRule
from deploy.local.state import SecretsFile, State


def test_pauses_grow_from_death_to_death() -> None:
    """A first death is forgiven at once, the next ones more slowly."""
    rule = RestartRule(limit=5, window_s=60)
    pauses = [rule.pause_after_death(second) for second in (0.0, 1.0, 2.0, 3.0)]
    assert pauses == sorted(pauses, key=lambda pause: pause or 0)
    assert len(set(pauses)) == 4


def test_the_fifth_death_within_a_minute_is_one_too_many() -> None:
    """Starting it once more would not help."""
    rule = RestartRule(limit=5, window_s=60)
    assert None not in [rule.pause_after_death(second) for second in (0.0, 10.0, 20.0, 30.0)]
    assert rule.pause_after_death(59.9) is None


def test_old_deaths_are_forgotten() -> None:
    """A service that dies once a minute is started for ever, each time without delay."""
    rule = RestartRule(limit=5, window_s=60)
    assert len({rule.pause_after_death(minute * 60.0) for minute in range(20)}) == 1


def test_a_name_keeps_its_port_from_start_to_start(tmp_path: Path) -> None:
    """Bookmarks and running clients stay right."""
    first = Ports(tmp_path / "ports.json").get("gateway")
    assert Ports(tmp_path / "ports.json").get("gateway") == first


def test_a_port_that_is_taken_is_given_up(tmp_path: Path) -> None:
    """Neither the wish nor the last port is insisted on."""
    with socket.socket() as other:
        other.bind((HOST, 0))
        taken = other.getsockname()[1]
        (tmp_path / "ports.json").write_text(json.dumps({"gateway": taken}))
        assert Ports(tmp_path / "ports.json").get("gateway", prefer=taken) != taken


def test_no_port_is_given_out_twice() -> None:
    """Two servers that both wish for one port get two."""
    ports = Ports()
    first = ports.get("first")
    assert ports.get("second", prefer=first) != first


def test_secrets_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    """A password that changed would lock the data of its server."""
    file = tmp_path / "secrets.json"
    secrets = SecretsFile(file)
    made = secrets.password("batch"), secrets.password("tenants"), secrets.fernet_key("webhooks")
    again = SecretsFile(file)
    assert made == (again.password("batch"), again.password("tenants"), again.fernet_key("webhooks"))
    assert len(set(made)) == 3
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_state_folder_is_private(tmp_path: Path) -> None:
    """Others on the machine see neither data nor logs."""
    state = State(tmp_path / "state")
    assert stat.S_IMODE(state.root.stat().st_mode) == 0o700
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in state.root.iterdir()} == {0o700}


def test_a_state_folder_has_one_supervisor(tmp_path: Path) -> None:
    """Two would start servers on the same data."""
    with State(tmp_path).locked(), pytest.raises(AlreadyRunning), State(tmp_path).locked():
        pytest.fail("both hold the folder")


def test_a_process_is_told_no_password_but_its_services_own() -> None:
    """What a stolen service knows opens nobody else's data, and the vault to none but the key vault."""
    passwords = {role: f"password-of-{role}." for role in login_roles()}
    addresses = Addresses(
        bus_url=SecretStr("nats://bus"),
        objects_url="file:///objects",
        gateway_port=8080,
        database_urls={role: SecretStr(f"postgresql://{role}:{passwords[role]}@db") for role in passwords},
        health_ports=dict.fromkeys(PROCESSES, 9000),
        vault=VaultAddress("https://vault", Path("/vault/ca.pem"), Path("/vault/approles")),
    )
    for process, service in PROCESSES.items():
        told = " ".join(process_environment(process, addresses, SecretStr("the-webhooks-key")).values())
        known = {role for role, password in passwords.items() if password in told}
        assert known == {service, f"{service}_platform"}
        assert ("the-webhooks-key" in told) == (service == "webhooks")
        assert ("/vault/approles" in told) == (service == "keyvault")


def test_every_service_runs_in_a_process_and_the_remote_worker_in_one_of_its_own() -> None:
    """A module that replaces the process `inference` in a test replaces that one alone."""
    assert set(PROCESSES.values()) == set(SERVICES)
    assert [process for process, service in PROCESSES.items() if service == "inference"] == [
        "inference",
        "inference-remote",
    ]
