"""The vault's transit secrets engine (HashiCorp Vault or OpenBao), as `Vault` promises it, and `TokenVault`,
and `SecretsVault`.

hvac is blocking, so its calls run in a small pool of threads; what is asked for at the same time about one
key goes out as one batch (see `batching.py`). The only module of the service that asks transit for anything.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from hvac import exceptions as refused  # type: ignore[import-untyped]

from libs.common.contracts.credentials import IntakeKey
from libs.common.contracts.ids import TenantId
from services.keyvault.batching import MicroBatcher
from services.keyvault.login import Client, Connection, Login, RoleSession, login_of
from services.keyvault.readiness import Readiness, measured
from services.keyvault.settings import Role, VaultSettings
from services.keyvault.tokens.rules import KEY as TOKENS
from services.keyvault.tokens.rules import TokenKey
from services.keyvault.vault import (
    Ciphertext,
    CiphertextLost,
    Context,
    NoTenantKey,
    VaultError,
    VaultRefused,
    VaultUnavailable,
)

Answer = TypeVar("Answer")
Item = dict[str, Any]
MOUNT = "transit"
INTAKE, FINGERPRINTS, CERTIFICATES = "intake", "fingerprints", "certificates"
PLATFORM_SECRETS = "platform-secrets"
BATCH_LIMIT = 200
"""OpenBao reads at most 1,000 strings a request, and an item is four: two names and two values."""
_NO_KEY = ("key not found", "no existing key", "could not delete key; not found")


@dataclass(frozen=True)
class Operation:
    """What transit does with a batch. item_error: of what it says no to; key_error: where there is no key."""

    name: str
    role: Role
    item_error: type[VaultError]
    key_error: type[VaultError]


ENCRYPT = Operation("encrypt", Role.ENCRYPT, VaultRefused, NoTenantKey)
DECRYPT = Operation("decrypt", Role.LEASE, CiphertextLost, CiphertextLost)
UNWRAP = Operation("decrypt", Role.ENCRYPT, CiphertextLost, VaultRefused)
REWRAP = Operation("rewrap", Role.ROTATE, CiphertextLost, CiphertextLost)
SIGN_TOKEN = Operation("sign", Role.TOKEN, VaultRefused, VaultRefused)


def key_of(tenant: TenantId) -> str:
    """The name of a tenant's transit key."""
    return f"t-{tenant.replace('_', '-')}"


def secrets_key_of(tenant: TenantId | None) -> str:
    """The name of the transit key of the secrets that others keep for a tenant, or for the platform."""
    return f"{key_of(tenant)}-secrets" if tenant else PLATFORM_SECRETS


class TransitVault:
    """All three over transit. Starts and stays up whether or not the vault can be used: see `ping`."""

    def __init__(self, settings: VaultSettings) -> None:
        self._settings = settings
        self._pool = ThreadPoolExecutor(settings.vault_threads, thread_name_prefix="vault")
        self._connection = Connection(settings)
        login = login_of(settings)
        self._sessions = {role: self._session(role, login) for role in Role}
        self._readiness = Readiness(self._connection, tuple(self._sessions.values()), settings.watch_s)
        slots = asyncio.Semaphore(settings.vault_threads)
        self._batches = {
            operation: MicroBatcher[Item, Item](partial(self._send, operation), slots, BATCH_LIMIT)
            for operation in (ENCRYPT, DECRYPT, UNWRAP)
        }
        self._signings = MicroBatcher[Item, Item](self._sign_tokens, slots, BATCH_LIMIT)

    def _session(self, role: Role, login: Login) -> RoleSession:
        settings = self._settings
        return RoleSession(
            role,
            self._connection,
            login,
            renewal=settings.token_renewal,
            token_check_s=settings.token_check_s,
        )

    async def start(self) -> None:
        """Watch the vault from now on."""
        self._readiness.start()

    async def close(self) -> None:
        """Let what is under way end."""
        await self._readiness.close()
        for batches in (*self._batches.values(), self._signings):
            await batches.close()
        self._pool.shutdown(wait=False)
        self._connection.close()

    async def ping(self) -> None:
        """See Vault."""
        await self._readiness.ping()

    async def ensure_tenant_key(self, tenant: TenantId) -> None:
        """See Vault."""
        await self._ensure(key_of(tenant))

    async def encrypt(self, tenant: TenantId, context: Context, plaintext: bytes) -> Ciphertext:
        """See Vault."""
        return await self._encrypt(key_of(tenant), context, plaintext)

    async def decrypt(self, tenant: TenantId, context: Context, ciphertext: str) -> bytes:
        """See Vault."""
        return await self._decrypt(key_of(tenant), context, ciphertext)

    async def ensure_secrets_key(self, tenant: TenantId) -> None:
        """See SecretsVault."""
        await self._ensure(secrets_key_of(tenant))

    async def protect(self, tenant: TenantId | None, context: Context, plaintext: bytes) -> Ciphertext:
        """See SecretsVault."""
        return await self._encrypt(secrets_key_of(tenant), context, plaintext)

    async def reveal(self, tenant: TenantId | None, context: Context, ciphertext: str) -> bytes:
        """See SecretsVault."""
        return await self._decrypt(secrets_key_of(tenant), context, ciphertext)

    async def rewrap(
        self, tenant: TenantId, items: Sequence[tuple[Context, str]]
    ) -> list[Ciphertext | VaultError]:
        """See Vault. One batch at a time, so that leases go on beside it."""
        bodies = [{"context": context.encoded(), "ciphertext": text} for context, text in items]
        results: list[Ciphertext | VaultError] = []
        for start in range(0, len(bodies), BATCH_LIMIT):
            answers = await self._send(REWRAP, key_of(tenant), bodies[start : start + BATCH_LIMIT])
            results += [one if isinstance(one, VaultError) else _ciphertext(one) for one in answers]
        return results

    async def rotate(self, tenant: TenantId) -> int:
        """See Vault."""
        await self._write("rotate", Role.ROTATE, f"{self._key_path(tenant)}/rotate", {})
        return await self.key_version(tenant)

    async def set_minimum_version(self, tenant: TenantId, version: int) -> None:
        """See Vault."""
        body = {"min_decryption_version": version}
        await self._write("set_minimum_version", Role.ROTATE, f"{self._key_path(tenant)}/config", body)

    async def key_version(self, tenant: TenantId) -> int:
        """See Vault."""
        key = await self._read(Role.ROTATE, self._key_path(tenant))
        if key is None:
            raise NoTenantKey
        return int(key["latest_version"])

    async def erase(self, tenant: TenantId) -> None:
        """See Vault."""
        await self._erase(key_of(tenant))

    async def erase_secrets(self, tenant: TenantId) -> None:
        """See SecretsVault."""
        await self._erase(secrets_key_of(tenant))

    async def fingerprint(self, data: bytes) -> str:
        """See Vault. Always under the key's first version: equal secrets have equal fingerprints for ever."""
        body = {"input": b64encode(data).decode(), "algorithm": "sha2-256", "key_version": 1}
        answer = await self._write("hmac", Role.ENCRYPT, f"{MOUNT}/hmac/{FINGERPRINTS}", body)
        return b64decode(_payload(answer["hmac"])).hex()

    async def intake_key(self) -> IntakeKey:
        """See Vault."""
        version, public_key = await self._public_key(Role.ENCRYPT, INTAKE)
        return IntakeKey(version=version, public_key=public_key)

    async def unwrap(self, sealed_key_version: int, wrapped_key: str) -> bytes:
        """See Vault."""
        item = {"ciphertext": f"vault:v{sealed_key_version}:{wrapped_key}"}
        return b64decode((await self._batches[UNWRAP].ask(INTAKE, item))["plaintext"])

    async def sign(self, statement: bytes) -> str:
        """See Vault."""
        body = {"input": b64encode(statement).decode()}
        answer = await self._write("sign", Role.SIGN, f"{MOUNT}/sign/{CERTIFICATES}", body)
        return _payload(answer["signature"])

    async def certificate_key(self) -> str:
        """See Vault."""
        return (await self._public_key(Role.SIGN, CERTIFICATES))[1]

    async def token_keys(self) -> list[TokenKey]:
        """See TokenVault."""
        versions = (await self._platform_key(Role.TOKEN, TOKENS))["keys"]
        return sorted(
            (_token_key(int(version), one) for version, one in versions.items()), key=lambda key: key.version
        )

    async def sign_token(self, version: int, data: bytes) -> bytes:
        """See TokenVault."""
        answer = await self._signings.ask(str(version), {"input": b64encode(data).decode()})
        return b64decode(_payload(answer["signature"]))

    async def rotate_token_key(self) -> None:
        """See TokenVault."""
        await self._write("rotate", Role.TOKEN, f"{MOUNT}/keys/{TOKENS}/rotate", {})

    async def _public_key(self, role: Role, name: str) -> tuple[int, str]:
        key = await self._platform_key(role, name)
        newest = int(key["latest_version"])
        return newest, str(key["keys"][str(newest)]["public_key"])

    async def _platform_key(self, role: Role, name: str) -> Item:
        key = await self._read(role, f"{MOUNT}/keys/{name}")
        if key is None:
            raise VaultRefused(f"the vault has no key {name}: run `mannequin vault bootstrap`")
        return key

    async def _ensure(self, key: str) -> None:
        path, body = f"{MOUNT}/keys/{key}", {"type": "aes256-gcm96", "derived": True}
        try:
            await self._write("make_key", Role.ENCRYPT, path, body)
        except VaultUnavailable:  # of several that make it at once OpenBao may fail all but one
            if await self._read(Role.ENCRYPT, path) is None:
                raise

    async def _encrypt(self, key: str, context: Context, plaintext: bytes) -> Ciphertext:
        item = {"context": context.encoded(), "plaintext": b64encode(plaintext).decode()}
        try:
            return _ciphertext(await self._batches[ENCRYPT].ask(key, item))
        except VaultRefused:  # without a key it would have to be made, which the policy does not allow
            if await self._read(Role.ENCRYPT, f"{MOUNT}/keys/{key}") is None:
                raise NoTenantKey from None
            raise

    async def _decrypt(self, key: str, context: Context, ciphertext: str) -> bytes:
        item = {"context": context.encoded(), "ciphertext": ciphertext}
        answer = await self._batches[DECRYPT].ask(key, item)
        return b64decode(answer["plaintext"])

    async def _erase(self, key: str) -> None:
        path = f"{MOUNT}/keys/{key}"
        with suppress(NoTenantKey):
            await self._write("allow_erasure", Role.ERASE, f"{path}/config", {"deletion_allowed": True})
            await self._run("erase", Role.ERASE, partial(_delete, path))

    async def _sign_tokens(self, version: str, items: Sequence[Item]) -> Sequence[Item | VaultError]:
        """A batch of one version of the key, which transit takes once for all of it."""
        body = {"batch_input": list(items), "key_version": int(version)}
        answer = await self._write(SIGN_TOKEN.name, SIGN_TOKEN.role, f"{MOUNT}/sign/{TOKENS}", body)
        return [_result(SIGN_TOKEN, one) for one in answer["batch_results"]]

    def _key_path(self, tenant: TenantId) -> str:
        return f"{MOUNT}/keys/{key_of(tenant)}"

    async def _send(
        self, operation: Operation, key: str, items: Sequence[Item]
    ) -> Sequence[Item | VaultError]:
        """A batch. What the vault refuses as a whole it is asked for piece by piece, to find the bad one."""
        path = f"{MOUNT}/{operation.name}/{key}"
        body = {"batch_input": list(items), "partial_failure_response_code": 200}
        try:
            answer = await self._write(operation.name, operation.role, path, body)
        except NoTenantKey:
            raise operation.key_error from None
        except VaultRefused:
            if len(items) == 1:
                raise
            return [await self._send_alone(operation, key, item) for item in items]
        return [_result(operation, one) for one in answer["batch_results"]]

    async def _send_alone(self, operation: Operation, key: str, item: Item) -> Item | VaultError:
        try:
            return (await self._send(operation, key, [item]))[0]
        except VaultError as error:
            return error

    async def _read(self, role: Role, path: str) -> Item | None:
        answer = await self._run("read", role, lambda client: client.read(path))
        return answer["data"] if answer else None

    async def _write(self, name: str, role: Role, path: str, body: Item) -> Item:
        return await self._run(name, role, partial(_post, path, body))

    async def _run(self, name: str, role: Role, work: Callable[[Client], Answer]) -> Answer:
        call = partial(self._sessions[role].call, work)
        with measured(name):
            self._readiness.refuse_if_unreachable()
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)


def _post(path: str, body: Item, client: Client) -> Item:
    try:
        with _missing_key():
            answer = client.write_data(path, data=body)
    except refused.VaultError as error:
        if results := _results_of(error):
            return results
        raise
    return answer["data"] if isinstance(answer, dict) else {}


def _results_of(error: refused.VaultError) -> Item | None:
    """One item's failure (as of RSA) may turn the status of the whole answer, which is complete for all."""
    data = error.json.get("data") if isinstance(error.json, dict) else None
    return data if data and "batch_results" in data else None


def _delete(path: str, client: Client) -> None:
    with _missing_key():
        client.delete(path)


@contextmanager
def _missing_key() -> Iterator[None]:
    """Transit says 400 for a key that is not there, and only its words tell that from other mistakes."""
    try:
        yield
    except refused.InvalidRequest as error:
        if any(said in str(error) for said in _NO_KEY):
            raise NoTenantKey from None
        raise


def _result(operation: Operation, answer: Item) -> Item | VaultError:
    reason = answer.get("error")
    return operation.item_error(f"transit refused it: {reason}") if reason else answer


def _ciphertext(answer: Item) -> Ciphertext:
    return Ciphertext(answer["ciphertext"], int(answer["key_version"]))


def _token_key(version: int, answer: Item) -> TokenKey:
    made_at = datetime.fromisoformat(answer["creation_time"])
    return TokenKey(version, b64decode(answer["public_key"]), made_at)


def _payload(text: str) -> str:
    """`vault:v1:…` without what stands before."""
    return text.rpartition(":")[2]
