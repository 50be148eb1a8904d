"""The cookies of a session, as a browser is told of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie

import pytest
from fastapi.responses import Response
from pydantic import SecretStr

from services.gateway.auth import cookies
from services.gateway.settings import GatewaySettings
from tests.unit.gateway_app import offline_gateway


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=10)


@pytest.fixture(params=[True, False], ids=["https", "on one's own machine"])
def settings(request: pytest.FixtureRequest) -> GatewaySettings:
    return offline_gateway(cookie_secure=request.param).settings


def told(response: Response) -> SimpleCookie:
    parsed = SimpleCookie()
    for header in response.headers.getlist("set-cookie"):
        parsed.load(header)
    return parsed


def test_no_script_reads_them_and_no_other_host_sets_them(settings: GatewaySettings) -> None:
    """`__Host-` needs the whole host, no domain and https; `__Secure-` needs https."""
    response = Response()
    cookies.set_access(response, settings, SecretStr("access"), soon())
    cookies.set_refresh(response, settings, SecretStr("refresh"), soon())
    access, refresh = told(response).values()
    for cookie in (access, refresh):
        assert cookie["httponly"]
        assert cookie["domain"] == ""
        assert bool(cookie["secure"]) is settings.cookie_secure
        assert 590 <= int(cookie["max-age"]) <= 600
    assert (access.key.startswith("__Host-"), refresh.key.startswith("__Secure-")) == (
        settings.cookie_secure,
        settings.cookie_secure,
    )
    assert (access["path"], refresh["path"]) == ("/", cookies.REFRESH_PATH)
    assert (access["samesite"], refresh["samesite"]) == ("lax", "strict")


def test_they_are_taken_away_from_where_they_were_put(settings: GatewaySettings) -> None:
    """A browser removes a cookie of the same name and path alone."""
    given, taken = Response(), Response()
    cookies.set_access(given, settings, SecretStr("access"), soon())
    cookies.set_refresh(given, settings, SecretStr("refresh"), soon())
    cookies.clear(taken, settings)
    places = [{(one.key, one["path"]) for one in told(response).values()} for response in (given, taken)]
    assert places[0] == places[1]
    assert {one["max-age"] for one in told(taken).values()} == {"0"}
