"""The servers of the providers, and the rows that run on them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.ports import Ports
from deploy.local.servers.mlserver import MlServer
from tests.contract.providers.rows import ROWS
from tests.contract.providers.subject import Row, Subject
from tests.servers.google_vertex_contract import GoogleContract, google_contract
from tests.servers.having import fresh_state, having
from tests.servers.mlserver import mlserver
from tests.servers.moto import Moto
from tests.servers.photoroom_contract import PhotoroomContract, photoroom_contract
from tests.servers.rogue import Rogue, rogue_server


@pytest.fixture(scope="session")
def mlserver_server(ports: Ports) -> Iterator[MlServer]:
    """One MLServer for all tests; keys are each test's own."""
    yield from mlserver(ports)


@pytest.fixture(scope="session")
def moto_server(ports: Ports) -> Iterator[Moto]:
    """One AWS for all tests; users are each test's own."""
    with fresh_state("moto") as state:
        yield from having(Moto(state, ports.get("moto")))


@pytest.fixture
async def google_server() -> AsyncIterator[GoogleContract]:
    """Google by its public documents, one for each test."""
    async with google_contract() as server:
        yield server


@pytest.fixture
async def photoroom_server() -> AsyncIterator[PhotoroomContract]:
    """Photoroom by its public documents, one for each test."""
    async with photoroom_contract() as server:
        yield server


@pytest.fixture
async def rogue() -> AsyncIterator[Rogue]:
    """A server that answers as the test says."""
    async with rogue_server() as server:
        yield server


@pytest.fixture(params=ROWS, ids=lambda row: row.name)
def row(request: pytest.FixtureRequest) -> Row:
    """Each test runs once for each row."""
    row: Row = request.param
    return row


@pytest.fixture(params=[row for row in ROWS if row.keyed], ids=lambda row: row.name)
def keyed_row(request: pytest.FixtureRequest) -> Row:
    """Each test runs once for each row that takes a key."""
    row: Row = request.param
    return row


@pytest.fixture(params=[row for row in ROWS if row.http], ids=lambda row: row.name)
def http_row(request: pytest.FixtureRequest) -> Row:
    """Each test runs once for each row that speaks HTTP."""
    row: Row = request.param
    return row


@pytest.fixture
def subject(row: Row, request: pytest.FixtureRequest) -> Subject:
    """The server of the row."""
    return row.subject(request)


@pytest.fixture
def keyed_subject(keyed_row: Row, request: pytest.FixtureRequest) -> Subject:
    """The server of the row that takes a key."""
    return keyed_row.subject(request)


@pytest.fixture
def http_subject(http_row: Row, request: pytest.FixtureRequest) -> Subject:
    """The server of the row that speaks HTTP."""
    return http_row.subject(request)
