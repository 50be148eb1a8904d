"""What is particular to the Open Inference Protocol."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator

import numpy as np
import pytest
from aiohttp import web

from deploy.local.ports import HOST
from deploy.local.servers.mlserver import MlServer
from libs.common.contracts.providers import FaultCode
from services.inference.providers.provider import Account, CallFailed
from services.inference.providers.registry import open_connection
from tests.contract.providers.calls import OUTPUTS, call, local_maps, tensors
from tests.contract.providers.mlserver_rows import GRPC, HERE, HTTP, OnMlServer
from tests.contract.providers.subject import Place, Row, connected
from tests.servers.rogue import Answer, Rogue

KEY = "a-key-of-the-tests"
BOTH = pytest.mark.parametrize("row", [HTTP, GRPC], ids=lambda row: row.name)


def account(url: str, **changed: str) -> Place:
    given = {name: value for name, value in changed.items() if name in ("bearer", "api_key")}
    settings = {name: value for name, value in changed.items() if name not in given}
    settings = {"url": url, "model": "mannequin", **settings}
    return Place(Account(settings, given or {"api_key": KEY}), HERE)


async def failure(row: Row, place: Place) -> FaultCode:
    async with connected(row, place) as connection:
        with pytest.raises(CallFailed) as failed:
            await call(connection, row.ability)
    return failed.value.fault.code


def on(server: MlServer, row: Row) -> OnMlServer:
    return OnMlServer(server, grpc=row is GRPC)


@BOTH
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, FaultCode.REVOKED),
        (403, FaultCode.NO_PERMISSION),
        (429, FaultCode.OVERLOADED),
        (503, FaultCode.UNAVAILABLE),
    ],
)
async def test_http_and_grpc_mean_the_same(
    mlserver_server: MlServer, row: Row, status: int, code: FaultCode
) -> None:
    """A refusal is sorted alike whichever way it comes."""
    place = await on(mlserver_server, row).working()
    (key,) = place.account.secrets.values()
    mlserver_server.answer(key, status)
    assert await failure(row, place) is code


@BOTH
@pytest.mark.parametrize("changed", [{"model": "trousers"}, {"model_version": "9"}])
async def test_a_model_that_is_not_there_is_not_found(
    mlserver_server: MlServer, row: Row, changed: dict[str, str]
) -> None:
    """By its name or its version, in the probe already."""
    working = await on(mlserver_server, row).working()
    settings = {**working.account.settings, **changed}
    place = Place(Account(settings, working.account.secrets), working.around)
    async with connected(row, place) as connection:
        with pytest.raises(CallFailed) as failed:
            await connection.probe()
    assert failed.value.fault.code is FaultCode.NOT_FOUND


@BOTH
async def test_the_version_of_the_model_can_be_named(mlserver_server: MlServer, row: Row) -> None:
    """The one that is there."""
    working = await on(mlserver_server, row).working()
    settings = {**working.account.settings, "model_version": "2.0.0"}
    async with connected(row, Place(Account(settings, working.account.secrets), HERE)) as connection:
        await connection.probe()
        assert await call(connection, row.ability)


@BOTH
async def test_several_pictures_go_in_one_call(mlserver_server: MlServer, row: Row) -> None:
    """In their order."""
    inputs = tensors(pictures=3, seed=7)
    async with connected(row, await on(mlserver_server, row).working()) as connection:
        maps = (await connection.segment(inputs, OUTPUTS))["maps"]
    np.testing.assert_allclose(maps, local_maps(inputs), atol=1e-5)


async def test_the_key_goes_where_the_tenant_says(rogue: Rogue) -> None:
    """In a header of its choice, a token in Authorization, and below the path of the URL."""
    place = account(f"{rogue.url}/team/", header="X-Team-Key", api_key="k1", bearer="t1", model_version="3")
    rogue.answer = Answer(404)
    await failure(HTTP, place)
    sent = rogue.seen[-1]
    assert (sent.headers["X-Team-Key"], sent.headers["Authorization"]) == ("k1", "Bearer t1")
    assert sent.path == "/team/v2/models/mannequin/versions/3/infer"
    assert "Cookie" not in sent.headers


@pytest.mark.parametrize(
    "changed",
    [
        *({"url": url} for url in ("", "ftp://x.example", "https://", "https://u:p@x.example", "x.example")),
        *(
            {"url": url}
            for url in ("https://x.example/?a=b", "https://x.example/#f", "https://x.example/\r\n")
        ),
        *({"model": name} for name in ("", "..", "a/b", "a b", "ä", "a\n")),
        *({"model_version": name} for name in ("..", "1/2", "1\r\n")),
        *(
            {"header": name}
            for name in ("Host", "content-length", "Transfer-Encoding", "a b", "a:", "Cookie")
        ),
        *({"header": name} for name in ("Inference-Header-Content-Length", "grpc-timeout", "key-bin")),
        *({"api_key": key} for key in ("a b", "a\r\nHost: x", "ä", "")),
        *({"bearer": key} for key in ("a b", "a\n", "")),
    ],
)
async def test_fields_that_can_not_be_used_are_malformed(changed: dict[str, str]) -> None:
    """They would say something else in a request than in the form."""
    url = changed.pop("url", f"http://{HOST}:1")
    place = account(url, **changed)
    with pytest.raises(CallFailed) as refused:
        await open_connection(HTTP.provider, place.account, place.around)
    assert refused.value.fault.code is FaultCode.MALFORMED


class RawServer:
    """The binary tensor data extension as Triton's documents have it, read and written without our codec."""

    def __init__(self) -> None:
        self.seen = 0

    async def metadata(self, _: web.Request) -> web.Response:
        return web.json_response({"name": "raw", "version": "1", "extensions": ["binary_tensor_data"]})

    async def infer(self, request: web.Request) -> web.Response:
        body = await request.read()
        size = int(request.headers["Inference-Header-Content-Length"])
        described = json.loads(body[:size])["inputs"]
        raw, inputs = body[size:], {}
        for tensor in described:
            kind = {"UINT8": "<u1", "INT64": "<i8"}[tensor["datatype"]]
            length = tensor["parameters"]["binary_data_size"]
            inputs[tensor["name"]] = np.frombuffer(raw[:length], kind).reshape(tensor["shape"])
            raw = raw[length:]
        assert not raw
        maps = local_maps(inputs).astype("<f4").tobytes()
        self.seen += 1
        said = {"name": "maps", "datatype": "FP32", "shape": [len(inputs["image"]), 5, 192, 160]}
        head = json.dumps({"outputs": [said | {"parameters": {"binary_data_size": len(maps)}}]}).encode()
        return web.Response(body=head + maps, headers={"Inference-Header-Content-Length": str(len(head))})


@pytest.fixture
async def raw_server() -> AsyncIterator[tuple[RawServer, str]]:
    server = RawServer()
    app = web.Application(client_max_size=8 << 20)
    app.router.add_get("/v2", server.metadata)
    app.router.add_post("/v2/models/mannequin/infer", server.infer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    yield server, f"http://{HOST}:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_raw_tensors_are_sent_to_a_server_that_announces_them(
    raw_server: tuple[RawServer, str],
) -> None:
    """A picture is then a quarter as large on the way, and nobody parses numbers."""
    server, url = raw_server
    inputs = tensors(pictures=2)
    async with connected(HTTP, account(url, api_key=secrets.token_hex(8))) as connection:
        maps = (await connection.segment(inputs, OUTPUTS))["maps"]
    np.testing.assert_allclose(maps, local_maps(inputs), atol=1e-6)
    assert server.seen == 1


@pytest.mark.parametrize("size", ["-1", "x", "99999999999", "5"])
async def test_a_length_that_can_not_be_is_a_bad_answer(rogue: Rogue, size: str) -> None:
    """Of the JSON before the raw bytes."""
    rogue.answer = Answer(body=b'{"outputs": []}', headers={"Inference-Header-Content-Length": size})
    assert await failure(HTTP, account(rogue.url)) is FaultCode.BAD_ANSWER


async def test_a_model_that_triton_does_not_have_is_not_found(rogue: Rogue) -> None:
    """It says 400 of it, which means tensors that do not fit where no name is missing."""
    said = b'{"error":"Request for unknown model: \'mannequin\' is not found"}'
    rogue.answer = Answer(400, said)
    assert await failure(HTTP, account(rogue.url)) is FaultCode.NOT_FOUND
