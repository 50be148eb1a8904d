"""Every role at the vault against everything that any role does, and against what none may do."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import hvac  # type: ignore[import-untyped]
import pytest
from hvac.exceptions import Forbidden  # type: ignore[import-untyped]

from deploy.local.servers.openbao import OpenBao
from deploy.vault.bootstrap import ROLES
from services.keyvault.settings import Role

KEY = "t-ten-policies"
TEXT = b64encode(b"text").decode()
BODY = {"plaintext": TEXT, "context": TEXT}
Client = Any
Work = Callable[[Client], object]


def post(path: str, **body: object) -> Work:
    return lambda client: client.write_data(path, data=body)


def read(path: str) -> Work:
    return lambda client: client.read(path)


def delete(path: str) -> Work:
    return lambda client: client.delete(path)


ALLOWED: dict[str, tuple[set[str], Work]] = {
    "encrypt a tenant's secret": ({"encrypt"}, post(f"transit/encrypt/{KEY}", **BODY)),
    "make a tenant's key": ({"encrypt"}, post("transit/keys/t-new", type="aes256-gcm96", derived=True)),
    "take a fingerprint": ({"encrypt"}, post("transit/hmac/fingerprints", input=TEXT)),
    "read the intake's public key": ({"encrypt"}, read("transit/keys/intake")),
    "unwrap for the intake": ({"encrypt"}, post("transit/decrypt/intake", ciphertext="{intake}")),
    "decrypt a tenant's secret": (
        {"lease"},
        post(f"transit/decrypt/{KEY}", ciphertext="{tenant}", context=TEXT),
    ),
    "rewrap": ({"rotate"}, post(f"transit/rewrap/{KEY}", ciphertext="{tenant}", context=TEXT)),
    "rotate a tenant's key": ({"rotate"}, post(f"transit/keys/{KEY}/rotate")),
    "raise the minimum version": (
        {"rotate"},
        post(f"transit/keys/{KEY}/config", min_decryption_version=1),
    ),
    "read a tenant's key's versions": ({"encrypt", "rotate"}, read(f"transit/keys/{KEY}")),
    "allow a tenant's key to be deleted": (
        {"erase"},
        post("transit/keys/t-doomed/config", deletion_allowed=True),
    ),
    "delete a tenant's key": ({"erase"}, delete("transit/keys/t-doomed")),
    "sign a certificate": ({"sign"}, post("transit/sign/certificates", input=TEXT)),
    "read the certificates' public key": ({"sign"}, read("transit/keys/certificates")),
    "sign a token": ({"token"}, post("transit/sign/tokens", input=TEXT, key_version=1)),
    "read the tokens' public keys": ({"token"}, read("transit/keys/tokens")),
    "make a new key for tokens": ({"token"}, post("transit/keys/tokens/rotate")),
    "encrypt a secret of the platform": ({"encrypt"}, post("transit/encrypt/platform-secrets", **BODY)),
    "look for the platform's key": ({"encrypt"}, read("transit/keys/platform-secrets")),
    "decrypt a secret of the platform": (
        {"lease"},
        post("transit/decrypt/platform-secrets", ciphertext="{platform}", context=TEXT),
    ),
    "look at its own token": (set(ROLES), read("auth/token/lookup-self")),
}
FORBIDDEN: dict[str, Work] = {
    "encrypt under a key that is not there": post("transit/encrypt/t-none", **BODY),
    "make a key that can be exported": post("transit/keys/t-out", type="aes256-gcm96", exportable=True),
    "make a key that is not derived": post("transit/keys/t-flat", type="aes256-gcm96", derived=False),
    "make a tenant's key exportable": post(f"transit/keys/{KEY}/config", exportable=True),
    "allow a plaintext backup": post(f"transit/keys/{KEY}/config", allow_plaintext_backup=True),
    "export a key": read(f"transit/export/encryption-key/{KEY}"),
    "back a key up": read(f"transit/backup/{KEY}"),
    "restore a key": post("transit/restore/t-back", backup=TEXT),
    "get a data key": post(f"transit/datakey/plaintext/{KEY}", context=TEXT),
    "trim a key": post(f"transit/keys/{KEY}/trim", min_available_version=1),
    "list the tenants": lambda client: client.list("transit/keys"),
    "rotate the intake": post("transit/keys/intake/rotate"),
    "rotate the fingerprints": post("transit/keys/fingerprints/rotate"),
    "configure the certificates": post("transit/keys/certificates/config", deletion_allowed=True),
    "configure the tokens' key": post("transit/keys/tokens/config", min_encryption_version=1),
    "let the tokens' key be deleted": post("transit/keys/tokens/config", deletion_allowed=True),
    "export the tokens' key": read("transit/export/signing-key/tokens"),
    "make the tokens' key anew": post("transit/keys/tokens", type="aes256-gcm96", derived=True),
    "delete the tokens' key": delete("transit/keys/tokens"),
    "rotate the platform's key": post("transit/keys/platform-secrets/rotate"),
    "configure the platform's key": post("transit/keys/platform-secrets/config", deletion_allowed=True),
    "delete the platform's key": delete("transit/keys/platform-secrets"),
    "delete the intake": delete("transit/keys/intake"),
    "read the fingerprints' key": read("transit/keys/fingerprints"),
    "write a policy": post("sys/policies/acl/mannequin-lease", policy='path "*" {}'),
    "read a policy": read("sys/policies/acl/mannequin-lease"),
    "get a secret id": post("auth/approle/role/mannequin-lease/secret-id"),
    "make a token": post("auth/token/create", policies=["root"]),
    "list the mounts": read("sys/mounts"),
    "seal the vault": post("sys/seal"),
    "read another engine": read("secret/data/anything"),
}


@pytest.fixture(scope="module")
def clients(vault_server: OpenBao) -> dict[str, Client]:
    """A client for each role, with its own login; the tenant's keys are there."""
    root = vault_server.root_client()
    for key in (KEY, "t-doomed"):
        root.write_data(f"transit/keys/{key}", data={"type": "aes256-gcm96", "derived": True})
    return {role: _logged_in(vault_server, role) for role in ROLES}


@pytest.fixture(scope="module")
def ciphertexts(vault_server: OpenBao) -> dict[str, str]:
    """One of a tenant, one of the platform, one for the intake."""
    root = vault_server.root_client()
    tenant = root.write_data(f"transit/encrypt/{KEY}", data=BODY)
    platform = root.write_data("transit/encrypt/platform-secrets", data=BODY)
    intake = root.write_data("transit/encrypt/intake", data={"plaintext": TEXT})
    made = {"tenant": tenant, "platform": platform, "intake": intake}
    return {name: answer["data"]["ciphertext"] for name, answer in made.items()}


def _logged_in(server: OpenBao, role: str) -> Client:
    client = hvac.Client(server.url, token="", verify=str(server.ca))
    ids = {kind: (server.approles / f"{role}.{kind}-id").read_text() for kind in ("role", "secret")}
    client.auth.approle.login(role_id=ids["role"], secret_id=ids["secret"])
    return client


class _Filled:
    """A client that puts the fixtures' ciphertexts in."""

    def __init__(self, client: Client, ciphertexts: dict[str, str]) -> None:
        self._client, self._ciphertexts = client, ciphertexts

    def write_data(self, path: str, data: dict[str, Any]) -> object:
        filled = {
            name: value.format(**self._ciphertexts) if name == "ciphertext" else value
            for name, value in data.items()
        }
        return self._client.write_data(path, data=filled)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def _may(work: Work, client: Client) -> bool:
    try:
        work(client)
    except Forbidden:
        return False
    return True


def test_the_roles_of_the_service_are_those_with_a_policy() -> None:
    """A role without one could not log in."""
    assert set(ROLES) == {role.value for role in Role}


@pytest.mark.parametrize("operation", ALLOWED)
def test_an_operation_is_allowed_to_its_roles_and_refused_to_all_others(
    operation: str, clients: dict[str, Client], ciphertexts: dict[str, str]
) -> None:
    """The whole table: whoever steals one role's login has that role's right and nothing more."""
    roles, work = ALLOWED[operation]
    allowed = {role for role in ROLES if _may(work, _Filled(clients[role], ciphertexts))}
    assert allowed == roles


@pytest.mark.parametrize("operation", FORBIDDEN)
def test_what_nobody_needs_is_refused_to_all(operation: str, clients: dict[str, Client]) -> None:
    """No way for a key to leave the vault, none to more rights, none to the platform's own keys."""
    assert not [role for role in ROLES if _may(FORBIDDEN[operation], clients[role])]
