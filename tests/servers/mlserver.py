"""MLServer for the tests: a server of the Open Inference Protocol that is none of ours."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from deploy.local.ports import Ports
from deploy.local.servers.mlserver import MlServer
from tests.servers.having import fresh_state, having

_numbers = count(1)


def mlserver(ports: Ports) -> Iterator[MlServer]:
    """It while it runs, with our exported model; keys are the tests' to accept and to revoke.

    On ports of its own: another one may be running for other tests.
    """
    name = f"mlserver-{next(_numbers)}"
    with fresh_state("mlserver") as state:
        yield from having(MlServer(state, ports.get(f"{name}-http"), ports.get(f"{name}-grpc")))
