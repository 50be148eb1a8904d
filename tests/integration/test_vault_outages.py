"""A vault that can't be used, in every way that it can't; and all goes on by itself afterwards."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from hvac.exceptions import VaultError  # type: ignore[import-untyped]
from prometheus_client import REGISTRY

from deploy.local.ports import Ports
from deploy.local.servers.openbao import OpenBao
from deploy.vault import bootstrap as steps
from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.errors import Unavailable
from services.keyvault.settings import Role
from services.keyvault.transit import TransitVault
from services.keyvault.vault import Context, Trouble, VaultUnavailable
from tests.servers.having import fresh_state, having
from tests.servers.planted import planted
from tests.servers.vaults import vault_of

SECRET = planted().encode()
OFTEN = {"watch_s": 0.1, "token_check_s": 0.1}


@pytest.fixture(scope="module")
def server() -> Iterator[OpenBao]:
    """A vault of this module's own, as it is sealed and killed here."""
    with fresh_state("own-openbao") as state:
        yield from having(OpenBao(state, Ports(), open_to_operator=True))


class Row:
    """A secret of a tenant that is in the vault's care."""

    def __init__(self, vault: TransitVault, tenant: TenantId, context: Context, text: str) -> None:
        self.vault = vault
        self._asked = (tenant, context, text)

    async def decrypts(self) -> bool:
        """Raises VaultUnavailable."""
        return await self.vault.decrypt(*self._asked) == SECRET


@asynccontextmanager
async def stored(server: OpenBao) -> AsyncIterator[Row]:
    async with vault_of(server, **OFTEN) as vault:
        tenant = TenantId.new()
        context = Context(tenant, "photoroom", CredentialId.new())
        await vault.ensure_tenant_key(tenant)
        yield Row(vault, tenant, context, (await vault.encrypt(tenant, context, SECRET)).text)


async def trouble(work: Callable[[], Awaitable[object]]) -> VaultUnavailable | None:
    try:
        await work()
    except VaultUnavailable as error:
        return error
    return None


async def until(condition: Callable[[], Awaitable[bool]], limit_s: float = 20) -> None:
    async with asyncio.timeout(limit_s):
        while not await condition():
            await asyncio.sleep(0.02)


async def until_usable(row: Row) -> None:
    """Every role works, the secret is there, and the metric says so; nobody has touched the vault object."""

    async def usable() -> bool:
        return await trouble(row.vault.ping) is None and ready() == 1

    await until(usable)
    assert await row.decrypts()


def ready() -> float | None:
    return REGISTRY.get_sample_value("mannequin_vault_ready")


async def until_told(kind: Trouble) -> None:
    """The metrics say so by themselves, which the alert goes by."""

    async def told() -> bool:
        why = REGISTRY.get_sample_value("mannequin_vault_trouble", {"trouble": kind})
        return ready() == 0 and why == 1

    await until(told)


async def test_a_sealed_vault_says_so_and_goes_on_when_it_is_unsealed(server: OpenBao) -> None:
    """By what is asked of it, by /readyz, and by the metric."""
    async with stored(server) as row:
        server.root_client().sys.seal()
        at_once = await trouble(row.decrypts)
        await until_told(Trouble.SEALED)
        for error in (at_once, await trouble(row.vault.ping)):
            assert error is not None
            assert error.trouble is Trouble.SEALED
            assert "unseal" in error.detail
            assert isinstance(error, Unavailable)
        await server.restart()
        await until_usable(row)


async def test_a_killed_vault_has_kept_everything_when_it_is_back(server: OpenBao) -> None:
    """Keys, policies and even our tokens; meanwhile it is said that nothing answers."""
    async with stored(server) as row:
        await server.kill()
        error = await trouble(row.decrypts)
        assert error is not None
        assert error.trouble is Trouble.UNREACHABLE
        assert server.url in error.detail
        await until_told(Trouble.UNREACHABLE)
        await server.restart()
        await until_usable(row)


async def test_a_vault_that_is_down_when_the_service_starts_is_waited_for(server: OpenBao) -> None:
    """The service starts all the same, not ready."""
    await server.stop()
    async with vault_of(server, **OFTEN) as vault:
        assert await trouble(vault.ping) is not None
        await server.start()
        await until(lambda: _works(vault))


async def _works(vault: TransitVault) -> bool:
    return await trouble(vault.ping) is None


async def test_an_expired_token_is_replaced_without_anybody_noticing(server: OpenBao) -> None:
    """Many calls at once find it dead; one of them logs in, and all have their answers."""
    async with stored(server) as row:
        server.root_client().sys.revoke_prefix("auth/approle/login")
        assert all(await asyncio.gather(*(row.decrypts() for _ in range(50))))
        await row.vault.ping()


async def test_a_token_without_a_way_to_a_new_one_is_told_and_a_new_secret_id_mends_it(
    server: OpenBao,
) -> None:
    """New ids are read from their files at the next login: no restart."""
    async with stored(server) as row:
        root = server.root_client()
        steps.withdraw(root, Role.LEASE)
        root.sys.revoke_prefix("auth/approle/login")
        error = await trouble(row.decrypts)
        assert error is not None
        assert error.trouble is Trouble.TOKEN_DEAD
        assert "role lease" in error.detail
        assert "secret id" in error.detail
        await until_told(Trouble.TOKEN_DEAD)
        steps.issue(root, Role.LEASE).write(server.approles, Role.LEASE)
        await until_usable(row)


async def test_tokens_are_renewed_before_they_end(server: OpenBao) -> None:
    """The same token lives on for long after its first end, without another login."""
    root = server.root_client()
    path = "auth/approle/role/mannequin-sign"
    root.write_data(path, data={"token_ttl": 2, "token_max_ttl": 600})
    try:
        async with vault_of(server, **OFTEN) as vault:
            await vault.sign(b"first")
            (accessor,) = _short_tokens(root)
            await until(lambda: _renewed(root, accessor, later_s=4))
            await vault.sign(b"still")
            assert _short_tokens(root) == [accessor]
    finally:
        steps.allow_approle(root)


async def test_a_token_at_its_greatest_age_is_replaced_before_it_ends(server: OpenBao) -> None:
    """It can't be renewed for as long any more, so a login comes in time; no call ever notices."""
    root = server.root_client()
    path = "auth/approle/role/mannequin-sign"
    root.write_data(path, data={"token_ttl": 2, "token_max_ttl": 3})
    try:
        async with vault_of(server, **OFTEN) as vault:
            await vault.sign(b"first")
            before = set(_short_tokens(root))

            async def replaced() -> bool:
                await vault.sign(b"all the while")
                return not before & set(_short_tokens(root))

            await until(replaced)
    finally:
        steps.allow_approle(root)


def _short_tokens(root: Any) -> list[str]:
    """Accessors of the tokens that were made for less than a minute, and live."""
    found = []
    for accessor in root.list("auth/token/accessors")["data"]["keys"]:
        with suppress(VaultError):  # it has just ended
            token = root.auth.token.lookup_accessor(accessor)["data"]
            if 0 < token["creation_ttl"] < 60:
                found.append(accessor)
    return found


async def _renewed(root: Any, accessor: str, later_s: float) -> bool:
    """Whether it was renewed so long after it was made."""
    token = root.auth.token.lookup_accessor(accessor)["data"]
    return bool(token.get("last_renewal_time", 0) - token["creation_time"] >= later_s)


async def test_a_standby_without_an_active_node_says_so_until_there_is_one(server: OpenBao) -> None:
    """As during a change of the leader; what it is asked meanwhile is to be asked again."""
    async with stored(server) as row:
        server.root_client().write_data("sys/step-down")
        await until_told(Trouble.STANDBY)
        await until_usable(row)


async def test_a_vault_that_does_not_answer_is_given_up_on_in_time(server: OpenBao) -> None:
    """A connection that is taken by nobody would hold the threads for ever."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        address = f"https://127.0.0.1:{deaf.getsockname()[1]}"
        async with vault_of(server, vault_addr=address, vault_timeout_s=0.2) as vault:
            error = await asyncio.wait_for(trouble(vault.intake_key), 5)
    assert error is not None
    assert error.trouble is Trouble.UNREACHABLE


async def test_a_vault_of_a_foreign_authority_is_not_spoken_to(server: OpenBao) -> None:
    """And the words say what to look at."""
    async with vault_of(server, vault_ca=None) as vault:
        error = await trouble(vault.intake_key)
    assert error is not None
    assert "VAULT_CACERT" in error.detail
