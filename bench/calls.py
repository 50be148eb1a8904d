"""What a call of a tenant's own inference server (MLServer) costs a worker, by gRPC and by HTTP.

`cpu_ms`: of this process, which does what a remote worker does for one picture: the tensors there and back,
the time-outs, limits and circuit around it. `ms` has the server's own computing in it.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import statistics
import time

import numpy as np

from bench.photos import FOLDER
from deploy.local.demo.own_key import own_account
from deploy.local.servers.mlserver import MODEL_NAME
from deploy.local.state import State
from libs.common.contracts.providers import ProviderName
from services.inference.providers.provider import Account, Connection, Tensors
from services.inference.providers.registry import open_connection
from services.inference.providers.surroundings import Surroundings

CALLS = 100
_PICTURE: Tensors = {"image": np.zeros((1, 384, 320, 3), np.uint8), "hint": np.zeros(1, np.int64)}


async def run() -> dict[str, float]:
    root = FOLDER / "own"
    shutil.rmtree(root, ignore_errors=True)
    figures: dict[str, float] = {}
    async with own_account(State(root)) as (server, _):
        key = secrets.token_urlsafe(16)
        server.accept(key)
        around = Surroundings(allow_private=True)
        for name, url in (("grpc", server.grpc_url), ("http", server.url)):
            account = Account({"url": url, "model": MODEL_NAME}, {"bearer": key})
            connection = await open_connection(ProviderName.OPEN_INFERENCE, account, around)
            try:
                figures |= await _costs(name, connection)
            finally:
                await connection.close()
    await asyncio.to_thread(shutil.rmtree, root, ignore_errors=True)
    return figures


async def _costs(name: str, connection: Connection) -> dict[str, float]:
    """Medians of calls one after another."""
    took, cpu = [], []
    await connection.segment(_PICTURE, ["maps"])
    for _ in range(CALLS):
        began, used = time.perf_counter(), time.process_time()
        await connection.segment(_PICTURE, ["maps"])
        took.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - used) * 1000)
    return {f"ms_{name}": statistics.median(took), f"cpu_ms_{name}": statistics.median(cpu)}
