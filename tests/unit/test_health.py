"""The private port of a process."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from deploy.local.ports import HOST, Ports
from libs.common.errors import Unavailable
from libs.common.lifecycle.health import Health, Ping


async def _fine() -> None: ...


async def _sealed() -> None:
    raise Unavailable("the vault is sealed: unseal it")


async def _broken() -> None:
    raise ConnectionError("postgresql://user:password@host")


@pytest.fixture
async def port() -> int:
    return Ports().get("health")


@pytest.fixture
async def answers(port: int) -> AsyncIterator[httpx.AsyncClient]:
    pings: dict[str, Ping] = {"bus": _fine, "vault": _sealed, "database": _broken}
    health = Health(HOST, port, pings)
    await health.start()
    health.started = True
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}") as client:
        yield client
    await health.close()


async def test_readiness_says_why_in_our_own_words_and_never_in_anothers(answers: httpx.AsyncClient) -> None:
    """Our errors are written to be read; a library's may hold an address with a password in it."""
    answer = await answers.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "waiting",
        "checks": {"bus": "ok", "vault": "down: the vault is sealed: unseal it", "database": "down"},
    }


async def test_a_process_that_waits_is_alive(answers: httpx.AsyncClient) -> None:
    """Being restarted would not help it."""
    assert (await answers.get("/livez")).status_code == 200
