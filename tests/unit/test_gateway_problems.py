"""Errors as problem documents, by the application as it runs (without anything behind it)."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from structlog.testing import capture_logs

from libs.common.api_keys import generate
from libs.common.contracts.access import DEFAULT_KEY_PERMISSIONS, ActorKind
from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import KeyMode
from libs.common.errors import Refusal
from libs.common.providers.fields import FieldInvalid
from libs.common.providers.models import ModelRetired
from libs.common.sealing import NotSealedForThis
from services.batch.archive.errors import ArchiveCode, EntryCode
from services.batch.state import NOTHING_RENDERED, NOTHING_VALID
from services.gateway.app import create_app
from services.gateway.auth.caller import Caller
from services.gateway.auth.keyring import KnownKey
from services.gateway.problem_catalogue import CATALOGUE
from services.inference.errors import RefusalCode
from tests.unit.gateway_app import offline_gateway

KEY = generate(KeyMode.LIVE)
OF_OPERATORS = {"rotation_incomplete"}
"""Codes that the gateway never asks for."""
SECRETS = "the password is hunter2"


def client(**settings: Any) -> httpx.AsyncClient:
    gateway = offline_gateway(**settings)
    caller = Caller(TenantId.new(), ApiKeyId.new(), ActorKind.API_KEY, DEFAULT_KEY_PERMISSIONS)
    gateway.keys.put(KnownKey(KEY.public_id, KEY.sha256, caller, revoked=False))
    app = create_app(gateway)
    app.include_router(_broken())
    transport = httpx.ASGITransport(app)
    headers = {"authorization": f"Bearer {KEY.secret.get_secret_value()}"}
    return httpx.AsyncClient(transport=transport, base_url="http://api.test", headers=headers)


def _broken() -> APIRouter:
    router = APIRouter()

    @router.get("/broken")
    async def broken() -> None:
        raise RuntimeError(SECRETS)

    return router


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "field"),
    [
        ("GET", "/api/v1/nothing", None, 404, "not_found", None),
        ("PUT", "/api/v1/batches", None, 405, "method_not_allowed", None),
        ("GET", "/api/v1/batches/bat_x", None, 422, "invalid", "batch_id"),
        ("GET", "/api/v1/batches?limit=0", None, 422, "invalid", "limit"),
        ("GET", "/api/v1/batches?cursor=x", None, 422, "invalid_cursor", "cursor"),
        ("POST", "/api/v1/batch/process?colour=red", b"x", 422, "unknown_parameter", "colour"),
        ("POST", "/api/v1/batch/process?format=jpeg", b"x", 422, "invalid", "format"),
        ("POST", "/api/v1/webhook-endpoints", b'{"url": "ftp://x"}', 422, "invalid", "url"),
        ("POST", "/api/v1/webhook-endpoints", b'{"link": "x"}', 422, "invalid", "url"),
        ("POST", "/api/v1/webhook-endpoints", b"{", 422, "malformed_body", None),
        ("POST", "/api/v1/webhook-endpoints", b"\xff\xfe{", 422, "malformed_body", None),
        ("POST", "/api/v1/webhook-endpoints", b" " * 70_000, 413, "body_too_large", None),
        ("GET", "/api/v1/webhook-endpoints", None, 503, "unavailable", None),
    ],
)
async def test_every_error_is_a_problem_with_a_code(
    method: str, path: str, body: bytes | None, status: int, code: str, field: str | None
) -> None:
    """With the field at fault and what to do, and nothing of the inside."""
    async with client() as http:
        response = await http.request(
            method, path, content=body, headers={"content-type": "application/json"}
        )
    problem = response.json()
    assert (response.status_code, problem["code"], problem.get("field")) == (status, code, field)
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["hint"]
    assert problem["request_id"] == response.headers["x-request-id"]
    assert "Traceback" not in response.text
    assert SECRETS not in response.text


async def test_an_error_that_nobody_expected_is_logged_and_not_told() -> None:
    """The answer has the request id, by which the log line with the whole error is found."""
    with capture_logs() as lines:
        async with client() as http:
            response = await http.get("/broken")
    assert (response.status_code, response.json()["code"]) == (500, "internal")
    assert SECRETS not in response.text
    failed = next(line for line in lines if line["event"] == "request_failed")
    assert failed["exc_info"]


async def test_one_line_is_logged_for_a_request_and_tells_no_secret() -> None:
    """Route, status and tenant; no key, no query, no body."""
    body = {"url": "https://secret.example/in-the-body"}
    with capture_logs() as lines:
        async with client() as http:
            await http.post("/api/v1/webhook-endpoints?secret=in-the-query", json=body)
    (line,) = [line for line in lines if line["event"] == "answered"]
    assert (line["route"], line["status"]) == ("/api/v1/webhook-endpoints", 503)
    assert line["tenant"].startswith("ten_")
    for secret in (KEY.secret.get_secret_value(), "in-the-query", "in-the-body"):
        assert secret not in str(lines)


async def test_a_server_that_is_away_says_when_to_come_again() -> None:
    """Retry-After goes with 503, and with 429."""
    async with client(burst=1, rate_per_s=0.1) as http:
        away = await http.get("/api/v1/batches")
        limited = await http.get("/api/v1/batches")
    assert (away.status_code, away.headers["retry-after"]) == (503, "1")
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "10")
    assert limited.headers["ratelimit"] == '"key";r=0;t=10'


async def test_all_wrong_fields_are_listed() -> None:
    """The first is at the top, and each has a pointer into the body."""
    body = {"url": "x", "types": ["nonsense"], "extra": 1}
    async with client() as http:
        problem = (await http.post("/api/v1/webhook-endpoints", json=body)).json()
    pointers = [error["pointer"] for error in problem["errors"]]
    assert (pointers[0], problem["field"]) == ("/url", "url")
    assert set(pointers) >= {"/url", "/types/0", "/extra"}
    assert "nonsense" not in json.dumps(problem)


async def test_every_answer_is_secured_and_named() -> None:
    """Also those that no route gave."""
    async with client() as http:
        for path in ("/healthz", "/docs", "/api/v1/nothing"):
            response = await http.get(path, headers={"x-request-id": "mine-1234"})
            assert response.headers["x-content-type-options"] == "nosniff"
            assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
            assert response.headers["x-request-id"] == "mine-1234"
            assert "access-control-allow-origin" not in response.headers


async def test_a_request_id_that_could_forge_log_lines_is_replaced() -> None:
    """Only plain characters are taken over."""
    async with client() as http:
        response = await http.get("/healthz", headers={"x-request-id": "a b<script>"})
    assert response.headers["x-request-id"].startswith("req_")


async def test_browsers_may_call_only_from_origins_that_were_named() -> None:
    """Cross-origin calls are off unless set."""
    origin = {"origin": "https://portal.example"}
    async with client(cors_origins=("https://portal.example",)) as http:
        allowed = await http.get("/healthz", headers=origin)
        other = await http.get("/healthz", headers={"origin": "https://evil.example"})
    assert allowed.headers["access-control-allow-origin"] == "https://portal.example"
    assert "access-control-allow-origin" not in other.headers


def _codes() -> Iterator[str]:
    for service in ("batch", "gateway", "keyvault", "webhooks"):
        module = importlib.import_module(f"services.{service}.errors")
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Refusal) and kind.__module__ == module.__name__:
                yield kind.default_code
    yield from (kind.default_code for kind in (FieldInvalid, ModelRetired, NotSealedForThis))
    for codes in (RefusalCode, ArchiveCode, EntryCode):
        yield from (code.value for code in codes)
    yield from (NOTHING_VALID.code, NOTHING_RENDERED.code)


@pytest.mark.parametrize("code", sorted(set(_codes()) - OF_OPERATORS))
def test_every_code_of_the_services_is_explained(code: str) -> None:
    """A title, and what to do about it."""
    assert CATALOGUE[code].hint
