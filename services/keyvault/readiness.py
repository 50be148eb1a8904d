"""Whether the vault can be used: asked for by /readyz, and watched so that the metrics know it as well."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from prometheus_client import Gauge, Histogram

from libs.common.telemetry import logger
from services.keyvault.login import Connection, RoleSession, answering, no_leader, no_vault
from services.keyvault.vault import Trouble, VaultRefused, VaultUnavailable

_HEALTH = "/v1/sys/health?standbyok=true&perfstandbyok=true"
"""A standby is as good, where there is an active node that it can pass on to what it is asked."""
_LEADER = "/v1/sys/leader"
_LIMIT_S = 1.5
"""For the answer of a healthy vault: sooner than /readyz is given up on, so that it has the reason."""
_SOON_S = 1.0
_ready = Gauge("mannequin_vault_ready", "1 while every role can use the vault, else 0.")
_trouble = Gauge("mannequin_vault_trouble", "1 for why the vault can't be used.", ("trouble",))
_seconds = Histogram(
    "mannequin_vault_call_seconds",
    "Seconds that a call to the vault took, and how it ended.",
    ("operation", "outcome"),
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
)
_log = logger("vault")


@contextmanager
def measured(operation: str) -> Iterator[None]:
    """Counts and times one call."""
    began, outcome = time.perf_counter(), "failed"
    try:
        yield
        outcome = "done"
    except VaultUnavailable:
        outcome = "unavailable"
        raise
    except VaultRefused:
        outcome = "refused"
        raise
    finally:
        _seconds.labels(operation, outcome).observe(time.perf_counter() - began)


class Readiness:
    """Looks at the vault and at each role's token every `watch_s` seconds, in a thread of its own."""

    def __init__(self, connection: Connection, sessions: Sequence[RoleSession], watch_s: float) -> None:
        self._connection = connection
        self._sessions = sessions
        self._watch_s = watch_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="vault-watch")
        self._task: asyncio.Task[None] | None = None
        self._looking: asyncio.Future[None] | None = None
        self._last: VaultUnavailable | None = None

    def start(self) -> None:
        """Watch from now on."""
        self._task = asyncio.create_task(self._watch(), name="vault watch")

    async def close(self) -> None:
        """Watch no longer."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._looking is not None:
            await asyncio.gather(self._looking, return_exceptions=True)
        self._thread.shutdown(wait=False)

    async def ping(self) -> None:
        """VaultUnavailable with the reason and what to do about it. Those who ask at once share one look."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look())
        await asyncio.shield(self._looking)

    async def _look(self) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._check)
        except VaultUnavailable as error:
            self._tell(error)
            raise
        self._tell(None)

    def refuse_if_unreachable(self) -> None:
        """VaultUnavailable at once, as long as waiting for the vault would only hold its threads."""
        if self._last is not None and self._last.trouble is Trouble.UNREACHABLE:
            raise VaultUnavailable(self._last.detail, trouble=self._last.trouble)

    async def _watch(self) -> None:
        while True:
            try:
                await self.ping()
            except VaultUnavailable:  # told already
                pass
            except Exception as error:  # noqa: BLE001  # watching goes on whatever the vault answers
                self._tell(
                    VaultUnavailable(f"the vault can't be looked at: {error!r}", trouble=Trouble.BROKEN)
                )
            await asyncio.sleep(min(self._watch_s, _SOON_S) if self._last else self._watch_s)

    def _check(self) -> None:
        adapter = self._connection.client(timeout_s=_LIMIT_S).adapter
        with answering(self._connection):
            health = adapter.get(_HEALTH)
            if not isinstance(health, dict) or "standby" not in health:
                raise no_vault(self._connection.address)
            led = not health["standby"] or adapter.get(_LEADER).get("leader_address")
        if not led:
            raise no_leader()
        for session in self._sessions:
            session.check()

    def _tell(self, error: VaultUnavailable | None) -> None:
        trouble = error.trouble if error else None
        _ready.set(0 if error else 1)
        for one in Trouble:
            _trouble.labels(one).set(one is trouble)
        if error and (self._last is None or self._last.trouble is not trouble):
            _log.error("vault_unusable", trouble=trouble, detail=error.detail)
        elif self._last and not error:
            _log.info("vault_usable_again")
        self._last = error
