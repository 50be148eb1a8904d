"""OpenBao of the local system: what it keeps, whom it refuses, what it leaves; and `vault bootstrap`."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import hvac  # type: ignore[import-untyped]
import psutil
import pytest
from hvac.exceptions import Forbidden, InvalidRequest  # type: ignore[import-untyped]

from deploy.local.ports import Ports
from deploy.local.servers.openbao import OpenBao
from deploy.local.service import SOURCE
from deploy.vault.bootstrap import ROLES
from libs.common.contracts.ids import CredentialId, TenantId
from services.keyvault.vault import Context
from tests.servers.having import demand, fresh_state
from tests.servers.planted import planted
from tests.servers.vaults import vault_of


@pytest.fixture
def openbao() -> Iterator[OpenBao]:
    """A vault of the test's own, not started yet, as `make run` has it."""
    with fresh_state("run-openbao") as state:
        server = OpenBao(state, Ports())
        demand(server)
        yield server
        asyncio.run(server.stop())


def folder(server: OpenBao) -> Path:
    return server.approles.parent


async def test_it_keeps_what_it_has_made_when_it_is_killed_and_leaves_no_process(openbao: OpenBao) -> None:
    """A key, and the logins: the second start asks for nothing and makes nothing anew."""
    await openbao.start()
    tenant = TenantId.new()
    context, secret = Context(tenant, "photoroom", CredentialId.new()), planted().encode()
    async with vault_of(openbao) as vault:
        await vault.ensure_tenant_key(tenant)
        made = await vault.encrypt(tenant, context, secret)
    logins = _logins(openbao)
    await openbao.kill()
    await openbao.restart()
    async with vault_of(openbao) as vault:
        assert await vault.decrypt(tenant, context, made.text) == secret
    assert _logins(openbao) == logins
    (process,) = [psutil.Process(pid) for pid in openbao.pids]
    await openbao.stop()
    await openbao.stop()
    assert not process.is_running()


async def test_it_leaves_no_root_token_and_what_it_keeps_is_its_owners_alone(openbao: OpenBao) -> None:
    """The recovery key can make another, so not even that is open over the network."""
    await openbao.start()
    assert json.loads((folder(openbao) / "operator.json").read_text())["root_token"] is None
    files = [file for file in folder(openbao).rglob("*") if file.is_file()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    await openbao.restart()
    async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=openbao.ca)) as client:
        attempt = await client.put(f"{openbao.url}/v1/sys/generate-root/attempt", json={})
    assert attempt.status_code == 405


async def test_it_refuses_strangers_and_speaks_tls_alone(openbao: OpenBao) -> None:
    """Loopback is no proof of identity on a machine with other users."""
    await openbao.start()
    client = hvac.Client(openbao.url, token="s.wrong", verify=str(openbao.ca))
    with pytest.raises(Forbidden):
        client.read("transit/keys/intake")
    with pytest.raises(InvalidRequest):
        client.auth.approle.login(role_id="wrong", secret_id="wrong")
    async with httpx.AsyncClient() as stranger:
        plain = await stranger.get(openbao.url.replace("https", "http"))
        assert plain.status_code == 400
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await stranger.get(openbao.url)


async def test_every_access_is_in_its_audit_file_without_the_secret(openbao: OpenBao) -> None:
    """The audit device says who did what; what it was is only there as a keyed hash."""
    await openbao.start()
    tenant, secret = TenantId.new(), planted()
    async with vault_of(openbao) as vault:
        await vault.ensure_tenant_key(tenant)
        await vault.encrypt(tenant, Context(tenant, "photoroom", CredentialId.new()), secret.encode())
    entries = [json.loads(line) for line in openbao.audit_file.read_text().splitlines()]
    path = f"transit/encrypt/t-{tenant.replace('_', '-')}"
    (entry,) = [one for one in entries if one["type"] == "request" and one["request"]["path"] == path]
    assert entry["auth"]["policies"] == ["mannequin-encrypt"]
    assert secret not in openbao.audit_file.read_text()


async def test_it_starts_over_after_a_first_start_that_was_cut_short(openbao: OpenBao) -> None:
    """A vault whose keys were never written down can't be opened by anybody, and holds nothing."""
    await openbao.start()
    await openbao.kill()
    (folder(openbao) / "operator.json").unlink()
    (folder(openbao) / "initialising").touch()
    await openbao.start()
    async with vault_of(openbao) as vault:
        await vault.ping()


async def test_it_is_made_ready_again_where_the_policies_are_new(openbao: OpenBao) -> None:
    """After an update of the program: by the recovery key, and with new logins in place of the old."""
    await openbao.start()
    logins = _logins(openbao)
    await openbao.stop()
    file = folder(openbao) / "operator.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"edition": "an older one"}))
    await openbao.start()
    assert json.loads(file.read_text())["root_token"] is None
    assert set(_logins(openbao).values()).isdisjoint(set(logins.values()) - _role_ids(openbao))
    async with vault_of(openbao) as vault:
        await vault.ping()


def _logins(server: OpenBao) -> dict[str, str]:
    return {file.name: file.read_text() for file in server.approles.iterdir()}


def _role_ids(server: OpenBao) -> set[str]:
    return {(server.approles / f"{role}.role-id").read_text() for role in ROLES}


def test_an_operator_makes_a_vault_ready_and_may_do_so_again(vault_server: OpenBao, tmp_path: Path) -> None:
    """`mannequin vault bootstrap`: the ids that it writes let the service in."""
    root = vault_server.root_client()
    first = _bootstrap(vault_server, root.token, tmp_path)
    assert first.returncode == 0, first.stderr
    again = _bootstrap(vault_server, root.token, tmp_path, "--auth", "kubernetes")
    assert again.returncode == 0, again.stderr
    bound = root.read("auth/kubernetes/role/mannequin-lease")["data"]
    assert bound["bound_service_account_names"] == ["keyvault"]
    assert bound["token_policies"] == ["mannequin-lease"]
    asyncio.run(_ping(vault_server, tmp_path))


def test_a_token_that_may_not_make_a_vault_ready_is_told_so(vault_server: OpenBao, tmp_path: Path) -> None:
    """In one line, without the token."""
    done = _bootstrap(vault_server, "s.not-an-operators", tmp_path)
    assert done.returncode == 1
    assert "permission denied" in done.stderr
    assert "s.not-an-operators" not in done.stderr + done.stdout


async def _ping(server: OpenBao, approles: Path) -> None:
    async with vault_of(server, approle_folder=approles) as vault:
        await vault.ping()


def _bootstrap(server: OpenBao, token: str, approles: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = "from libs.client.cli.main import app; app()"
    return subprocess.run(
        [sys.executable, "-c", command, "vault", "bootstrap", "--approles", str(approles), *more],
        cwd=SOURCE,
        env=os.environ | {"VAULT_ADDR": server.url, "VAULT_CACERT": str(server.ca), "VAULT_TOKEN": token},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
