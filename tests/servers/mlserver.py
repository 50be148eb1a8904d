"""MLServer for the tests: a server of the Open Inference Protocol that is none of ours."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.local.ports import Ports
from deploy.local.servers.mlserver import MlServer
from tests.servers.having import fresh_state, having


def mlserver(ports: Ports) -> Iterator[MlServer]:
    """It while it runs, with our exported model; keys are the tests' to accept and to revoke."""
    with fresh_state("mlserver") as state:
        yield from having(MlServer(state, ports.get("mlserver-http"), ports.get("mlserver-grpc")))
