"""The parts of the remote role. Only there are the providers' clients loaded."""

from __future__ import annotations

import os
from functools import partial

from libs.common.contracts import flow
from libs.common.contracts.credentials import LeasesRevoked
from libs.common.lifecycle import Lifecycle
from services.inference.base import Base
from services.inference.leases import Connect, Leases, Lessor
from services.inference.observing import Observations
from services.inference.probing import Probing
from services.inference.providers.registry import open_connection
from services.inference.providers.surroundings import Surroundings
from services.inference.remote.engine import RemoteEngine
from services.inference.remote.renderer import RemoteRendererFactory
from services.inference.renderer import OnnxRendererFactory
from services.inference.settings import InferenceSettings

QUEUES = (flow.REMOTE_RENDERS_NOW, flow.REMOTE_RENDERS)


async def wire_remote(
    settings: InferenceSettings, lifecycle: Lifecycle, connect_to: Connect | None = None
) -> None:
    """Start everything. `connect_to` stands for the providers."""
    base = await Base.open(settings, lifecycle)
    leases = Leases(Lessor(base.bus, base.name), connect_to or _providers(settings))
    observations = Observations(base.database)
    engine = RemoteEngine(
        leases,
        observations,
        RemoteRendererFactory(OnnxRendererFactory.of(settings, provider="cpu")),
        places=settings.remote_places,
        cores=os.cpu_count() or 1,
        image_timeout_s=settings.image_timeout_s,
    )
    worker = base.worker(engine, settings.remote_places)
    lifecycle.at_stop(worker.close)
    await lifecycle.open("bus", base.bus)
    await base.bus.listen(LeasesRevoked, leases.revoke)
    lifecycle.background("observations", observations.run())
    await base.bus.subscribe(flow.PROBES, Probing(base.database, leases).handle)
    await base.serve(worker, QUEUES, settings.remote_places)


def _providers(settings: InferenceSettings) -> Connect:
    around = Surroundings(allow_private=settings.remote_allow_private, endpoints=settings.remote_endpoints)
    return partial(open_connection, around=around)
