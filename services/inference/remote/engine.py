"""The engine of the remote role."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from libs.common.contracts.ids import TenantId
from libs.common.contracts.inference import RenderImages, RenderRemotely
from libs.common.contracts.message import Durable
from libs.common.contracts.options import RenderOptions
from libs.common.contracts.providers import Fault, Route
from libs.common.errors import Snooze, Unavailable
from services.inference.engine import RenderThreads, sorted_errors
from services.inference.errors import LeaseRefused, RouteNotOpen
from services.inference.isolation import Isolation
from services.inference.leases import Leases, Use
from services.inference.observing import Observations, Subject
from services.inference.places import SharedPlaces
from services.inference.providers.provider import CallFailed
from services.inference.remote import apart
from services.inference.remote.calls import AccountCalls, Bridge, Cores, NotCalled, ThreadCalls, fault_of
from services.inference.remote.renderer import RemoteRenderer, RemoteRendererFactory
from services.inference.results import Finished
from services.inference.shots import Shots

_VAULT_AWAY_S = 3.0
_NOT_OPEN_S = 1.0
_SETTLED_S = 60.0
"""A chunk leaves after its batch's commit; so much later, a route that is not open was closed."""


class RemoteEngine:
    """An Engine that computes on tenants' accounts. `places`: images at a time; `cores` of them at work."""

    def __init__(
        self,
        leases: Leases,
        observations: Observations,
        factory: RemoteRendererFactory,
        *,
        places: int,
        cores: int,
        image_timeout_s: float,
    ) -> None:
        self.leases = leases
        self.observations = observations
        self.renderer: RemoteRenderer = factory()
        self.threads = RenderThreads(places)
        self.turns = SharedPlaces(places)
        self.isolation = Isolation(partial(apart.prepare, factory), timeout_s=image_timeout_s)
        self.bridge = Bridge()
        self.cores = Cores(cores)

    async def begin(self, chunk: RenderImages, tenant: TenantId, age_s: float) -> RemoteJob:
        assert isinstance(chunk, RenderRemotely)
        use = Use.of_route(tenant, chunk.batch_id, chunk.route)
        job = RemoteJob(self, chunk.route, use)
        try:
            await self.leases.get(use)
        except Unavailable as error:
            raise Snooze(_VAULT_AWAY_S, f"no lease on the credential: {error.detail}") from error
        except LeaseRefused as refused:
            if isinstance(refused, RouteNotOpen) and age_s < _SETTLED_S:
                raise Snooze(_NOT_OPEN_S, refused.detail) from refused
            job.fault = fault_of(refused)
        except CallFailed as failed:
            job.fault = failed.fault
            await self.observations.saw(job.subject, failed.fault)
        return job

    async def close(self) -> None:
        self.bridge.close()
        self.threads.close()
        await self.isolation.close()
        await self.leases.close()
        await self.observations.close()


class RemoteJob:
    """A Job on one account. `fault`: from the start, or once the key was found to be at fault."""

    def __init__(self, engine: RemoteEngine, route: Route, use: Use) -> None:
        self.route: Route | None = route
        self.subject = Subject(use.tenant, use.credential_id, use.version)
        self._ability = route.ability
        self._engine = engine
        self._account = AccountCalls(use, engine.leases)

    @property
    def fault(self) -> Fault | None:
        return self._account.fault

    @fault.setter
    def fault(self, fault: Fault) -> None:
        self._account.fault = fault

    def turn(self, *, urgent: bool) -> AbstractAsyncContextManager[None]:
        return self._engine.turns.one(self.subject.credential_id, urgent=urgent)

    async def render(self, shots: Shots, options: RenderOptions) -> Finished:
        engine = self._engine
        calls = ThreadCalls(self._account, engine.bridge, engine.cores)

        def work() -> Finished:
            with engine.cores.at_work():
                render = engine.renderer.render(calls, self._ability, shots, options)
                return Finished.of(calls.watch.on(render))

        async with self._observed(calls):
            return await engine.threads.run(work)

    async def render_apart(self, shots: Shots, options: RenderOptions) -> Finished:
        calls = ThreadCalls(self._account, self._engine.bridge)
        answer = partial(apart.answered, calls)
        work = (apart.render_apart, self._ability, shots, options)
        async with self._observed(calls):
            with sorted_errors():
                render = await self._engine.isolation.run(*work, answer=answer)
            if isinstance(render, Fault):
                raise CallFailed(render.code, render.detail)
        return await self._engine.threads.run(lambda: Finished.of(calls.watch.on(render)))

    def reports(self) -> AbstractAsyncContextManager[Sequence[Durable]]:
        return self._engine.observations.leaving(self.subject)

    @asynccontextmanager
    async def _observed(self, calls: ThreadCalls) -> AsyncIterator[None]:
        """Tell how an image's calls went, unless none was made. A good one counts from when it was answered:
        the key may have failed while the picture was finished.
        """
        try:
            yield
        except NotCalled:
            raise
        except CallFailed as failed:
            await self._engine.observations.saw(self.subject, failed.fault)
            raise
        await self._engine.observations.saw(self.subject, None, calls.answered_at)
