"""Starts, watches and stops the whole system on one machine."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack
from enum import StrEnum

from pydantic import SecretStr

from deploy.local.environment import (
    PROCESSES,
    Addresses,
    VaultAddress,
    login_roles,
    process_environment,
    save_environment,
)
from deploy.local.errors import KeepsDying, ServerUnavailable, StartFailed
from deploy.local.ports import Ports
from deploy.local.restarts import RestartRule
from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from deploy.local.servers.postgres import Postgres
from deploy.local.servers.rabbitmq import RabbitMq
from deploy.local.servers.server import Server
from deploy.local.service import ServiceProcess
from deploy.local.stale import end_stale
from deploy.local.state import State

GATEWAY_PORT = 8080
Report = Callable[[str], None]


class Bus(StrEnum):
    """The brokers that the system runs on."""

    NATS = "nats"
    RABBITMQ = "rabbitmq"


async def migrate_database(admin_url: str, passwords: dict[str, str]) -> None:
    """The shared migrations; imported late, as alembic is slow to import and only this needs it."""
    from libs.common.db.migrate import migrate

    await migrate(admin_url, passwords)


class Supervisor:
    """The system of one state folder.

    `async with` it: entering returns when all services are ready, leaving stops everything. `watch()`
    meanwhile restarts what dies (so while it runs, kill by pid rather than by `Server.kill`). Enter from the
    main thread. Entering raises AlreadyRunning, ServerUnavailable, StartFailed, StaleProcess.

    services: the processes that are started; the vault runs only where keyvault does. modules: Python modules
    that replace the service's own, by the name of the process, and in that process alone; both for tests and
    benchmarks. rule: makes one restart rule a process.
    """

    def __init__(
        self,
        state: State,
        bus: Bus = Bus.NATS,
        report: Report = lambda _: None,
        services: Iterable[str] = tuple(PROCESSES),
        modules: Mapping[str, str] | None = None,
        rule: Callable[[], RestartRule] = RestartRule,
    ) -> None:
        self._state = state
        self._report = report
        self._rule = rule
        self._modules = modules or {}
        self._names = [name for name in PROCESSES if name in set(services)]
        self._stack = AsyncExitStack()
        ports = Ports(state.root / "ports.json")
        self.postgres = Postgres(state, ports.get("postgres"), state.secrets.password("postgres"))
        self.broker = _broker(bus, state, ports)
        self.vault = OpenBao(state, ports)
        self.addresses = self._find_addresses(ports)
        self.services: dict[str, ServiceProcess] = {name: self._service(name) for name in self._names}

    def _find_addresses(self, ports: Ports) -> Addresses:
        wish = int(os.environ.get("GATEWAY_PORT", GATEWAY_PORT))
        return Addresses(
            bus_url=SecretStr(self.broker.url),
            objects_url=self._state.objects.as_uri(),
            gateway_port=ports.get("gateway", prefer=wish),
            database_urls={role: self._database_url(role) for role in login_roles()},
            health_ports={name: ports.get(f"{name}-health") for name in PROCESSES},
            vault=VaultAddress(self.vault.url, self.vault.ca, self.vault.approles),
        )

    def _database_url(self, role: str) -> SecretStr:
        return SecretStr(self.postgres.url_for(role, self._state.secrets.password(role)))

    def _service(self, name: str) -> ServiceProcess:
        environment = process_environment(name, self.addresses, self._state.secrets.fernet_key("webhooks"))
        module = self._modules.get(name, f"services.{PROCESSES[name]}.main")
        return ServiceProcess(self._state, name, module, self.addresses.health_ports[name], environment)

    @property
    def servers(self) -> dict[str, Server]:
        """Everything that runs, by name: the database, the broker, the vault, then the services."""
        return {server.name: server for server in self._foundations()} | self.services

    def _foundations(self) -> list[Server]:
        vault = [self.vault] if "keyvault" in self.services else []
        return [self.postgres, self.broker, *vault]

    async def __aenter__(self) -> Supervisor:
        async with AsyncExitStack() as stack:
            stack.enter_context(self._state.locked())
            stack.push_async_callback(self._stop)
            await self._start()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        for server in self._foundations():
            if reason := server.available():
                raise ServerUnavailable(server.name, reason)
        for name in await end_stale(self._state.run, str(self._state.root)):
            self._report(f"ended {name} of an earlier run")
        vault_ready = asyncio.Event()
        await together(self._start_vault(vault_ready), self._start_services(vault_ready))

    async def _start_vault(self, ready: asyncio.Event) -> None:
        if "keyvault" in self.services:
            await self._start_one(self.vault)
            ready.set()

    async def _start_services(self, vault_ready: asyncio.Event) -> None:
        """All but the key vault need no vault, whose first start takes seconds."""
        await together(self._start_database(), self._start_one(self.broker))
        save_environment(self._state, self.addresses)
        others = [service for name, service in self.services.items() if name != "keyvault"]
        await together(self._start_keyvault(vault_ready), *(self._start_one(one) for one in others))

    async def _start_keyvault(self, vault_ready: asyncio.Event) -> None:
        if "keyvault" in self.services:
            await vault_ready.wait()
            await self._start_one(self.services["keyvault"])

    async def _start_database(self) -> None:
        await self._start_one(self.postgres)
        passwords = {role: self._state.secrets.password(role).get_secret_value() for role in login_roles()}
        await migrate_database(self.postgres.url, passwords)

    async def _start_one(self, server: Server) -> None:
        began = time.monotonic()
        await server.start()
        self._report(f"{server.name} is ready ({time.monotonic() - began:.1f} s)")

    async def _stop(self) -> None:
        """First what lets work in, then what does it, then what keeps it."""
        gateway = [service for name, service in self.services.items() if name == "gateway"]
        workers = [service for name, service in self.services.items() if name != "gateway"]
        for wave in (gateway, workers, self._foundations()):
            await together(*(server.stop() for server in wave))

    async def watch(self) -> None:
        """Restarts every process that dies; runs until cancelled. Raises KeepsDying."""
        await together(*(self._keep_alive(server) for server in self.servers.values()))

    async def _keep_alive(self, server: Server) -> None:
        rule = self._rule()
        while True:
            await server.ended()
            pause = rule.pause_after_death(time.monotonic())
            if pause is None:
                raise KeepsDying(server.name, rule.limit, rule.window_s, server.log_tail())
            self._report(f"{server.name} died; starting it again")
            await asyncio.sleep(pause)
            await _start_again(server)


async def _start_again(server: Server) -> None:
    try:
        await server.restart()
    except StartFailed:
        await server.kill()  # so `ended` returns at once and this counts as one more death


def _broker(bus: Bus, state: State, ports: Ports) -> Server:
    if bus is Bus.RABBITMQ:
        return RabbitMq(state, ports, state.secrets.password("rabbitmq"))
    return Nats(state, ports.get("nats"), state.secrets.password("nats"))


async def together(*steps: Coroutine[None, None, None]) -> None:
    """Runs them side by side; the first that fails cancels the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as tasks:
            for step in steps:
                tasks.create_task(step)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
