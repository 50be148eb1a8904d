"""Makes a vault ready for the platform: transit, the platform's own keys, a policy and a login for each role.

For OpenBao and HashiCorp Vault. Everything may be done again: what is there stays, policies and logins are
brought up to date. Blocking; raises hvac's errors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from deploy.local.state import write_private

POLICIES = Path(__file__).with_name("policies")
ROLES = tuple(sorted(file.stem for file in POLICIES.glob("*.hcl")))
PREFIX = "mannequin"
"""Policies and logins are named `mannequin-<role>`, as a vault may be shared."""
MOUNT = "transit"
KEYS: Mapping[str, Mapping[str, object]] = {
    "intake": {"type": "rsa-4096"},
    "fingerprints": {"type": "hmac", "key_size": 32},
    "certificates": {"type": "ed25519"},
    "tokens": {"type": "ed25519"},
    "platform-secrets": {"type": "aes256-gcm96", "derived": True},
}
TOKEN_TTL, TOKEN_MAX_TTL = "15m", "12h"
Client = Any
"""`hvac.Client`, which has no types."""


@dataclass(frozen=True)
class ServiceAccount:
    """Who may log in by Kubernetes: the service account of the keyvault pods."""

    name: str
    namespace: str


@dataclass(frozen=True)
class Issued:
    """A role's login by AppRole."""

    role_id: str
    secret_id: SecretStr

    def write(self, folder: Path, role: str) -> None:
        """As the keyvault service reads it: two files, for their owner alone."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(folder / f"{role}.role-id", self.role_id)
        write_private(folder / f"{role}.secret-id", self.secret_id.get_secret_value())


def connect(address: str, token: SecretStr, ca: Path | None, namespace: str | None = None) -> Client:
    """A client with an operator's token."""
    import hvac  # type: ignore[import-untyped]  # late: it takes 0.2 s, which each start would pay

    verify = str(ca) if ca else True
    return hvac.Client(
        address, token=token.get_secret_value(), verify=verify, namespace=namespace, timeout=10
    )


def edition() -> str:
    """Another one for each change of what `bootstrap` and the logins write."""
    files = (Path(__file__), *sorted(POLICIES.glob("*.hcl")))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def bootstrap(client: Client) -> None:
    """The secrets engine, the platform's keys and the policies."""
    if f"{MOUNT}/" not in client.sys.list_mounted_secrets_engines()["data"]:
        client.sys.enable_secrets_engine("transit", path=MOUNT)
    for name, kind in KEYS.items():
        if client.read(f"{MOUNT}/keys/{name}") is None:
            client.write_data(f"{MOUNT}/keys/{name}", data=dict(kind))
    for role in ROLES:
        policy = (POLICIES / f"{role}.hcl").read_text()
        client.sys.create_or_update_acl_policy(_named(role), policy, pretty_print=False)


def allow_approle(client: Client) -> None:
    """A login by AppRole for each role, without any secret id yet."""
    _enable(client, "approle")
    # A secret id can't be guessed; but a lock-out for trying an old one would outlast its replacement.
    client.write_data("sys/auth/approle/tune", data={"user_lockout_config": {"lockout_disable": True}})
    for role in ROLES:
        client.write_data(f"auth/approle/role/{_named(role)}", data=_token_terms(role))


def issue(client: Client, role: str) -> Issued:
    """A new secret id for a role; the earlier ones stay good (see `withdraw`)."""
    path = f"auth/approle/role/{_named(role)}"
    secret = client.write_data(f"{path}/secret-id")["data"]["secret_id"]
    return Issued(client.read(f"{path}/role-id")["data"]["role_id"], SecretStr(secret))


def withdraw(client: Client, role: str) -> None:
    """Make every secret id of a role void; tokens that it has go on until they end."""
    path = f"auth/approle/role/{_named(role)}/secret-id"
    found = client.list(path)
    for accessor in found["data"]["keys"] if found else ():
        client.write_data(f"{path}-accessor/destroy", data={"secret_id_accessor": accessor})


def allow_kubernetes(client: Client, account: ServiceAccount) -> None:
    """A login by Kubernetes for each role. Where the cluster is, auth/kubernetes/config says."""
    _enable(client, "kubernetes")
    for role in ROLES:
        bound = {
            "bound_service_account_names": [account.name],
            "bound_service_account_namespaces": [account.namespace],
        }
        client.write_data(f"auth/kubernetes/role/{_named(role)}", data=_token_terms(role) | bound)


def _enable(client: Client, method: str) -> None:
    if f"{method}/" not in client.sys.list_auth_methods()["data"]:
        client.sys.enable_auth_method(method)


def _token_terms(role: str) -> dict[str, object]:
    return {
        "token_policies": [_named(role)],
        "token_no_default_policy": True,
        "token_ttl": TOKEN_TTL,
        "token_max_ttl": TOKEN_MAX_TTL,
    }


def _named(role: str) -> str:
    return f"{PREFIX}-{role}"
