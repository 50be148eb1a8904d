"""The SDK and the command line of brands: what is sent, what is read and what a person is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from libs.client import AsyncMannequin, Mannequin
from libs.client.cli.main import app
from libs.client.cli.session import Exit
from services.gateway.branding import examples
from tests.unit.client_server import Answer, Script, serving

KEY = "im_test_not-a-key"
FOUND = {**examples.DOMAIN, "status": "verified", "fault": None}


def answered(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode())


def run(server: Script, *args: str) -> Result:
    return CliRunner().invoke(app, [*args, "--api-url", server.url, "--api-key", KEY])


def test_a_look_is_sent_as_the_api_has_it() -> None:
    """And what it answers is read."""
    with serving(answered(examples.BRANDING)) as server, Mannequin(KEY, server.url) as client:
        made = client.branding.set("Maison", colours={"primary": "#7c2d12"}, language="ar")
    request = server.requests[0]
    assert (request.method, request.path) == ("PUT", "/api/v1/tenant/branding")
    assert json.loads(request.body) == {
        "display_name": "Maison",
        "colours": {"primary": "#7c2d12"},
        "language": "ar",
    }
    assert made.logo is not None
    assert (made.logo.media_type, made.host) == ("image/svg+xml", "lumiere.client.example")


async def test_a_logo_is_sent_as_it_is(tmp_path: Path) -> None:
    """With the type that its name says; asyncio is the same."""
    logo = tmp_path / "Logo.SVG"
    logo.write_bytes(b"<svg/>")
    with serving(answered(examples.BRANDING)) as server:
        async with AsyncMannequin(KEY, server.url) as client:
            await client.branding.set_logo(logo)
        with Mannequin(KEY, server.url) as other:
            other.branding.set_favicon(logo)
    assert [(one.path, one.headers["content-type"], one.body) for one in server.requests] == [
        (f"/api/v1/tenant/branding/{kind}", "image/svg+xml", b"<svg/>") for kind in ("logo", "favicon")
    ]


async def test_domains_are_added_verified_and_removed() -> None:
    """POSTs carry an idempotency key."""
    with serving(answered(examples.DOMAIN, 201), answered(FOUND), Answer(204, b"")) as server:
        async with AsyncMannequin(KEY, server.url) as client:
            domain = await client.domains.add("photos.example.com")
            verified = await client.domains.verify(domain.id)
            await client.domains.remove(domain.id)
    assert domain.record.name == "_mannequin.photos.example.com"
    assert verified.status == "verified"
    assert [one.method for one in server.requests] == ["POST", "POST", "DELETE"]
    assert all("idempotency-key" in one.headers for one in server.requests[:2])


def test_colours_are_checked() -> None:
    """By query parameters."""
    with serving(answered(examples.CONTRAST)) as server, Mannequin(KEY, server.url) as client:
        [pair] = client.branding.check(text="#888888")
    assert server.requests[0].path == "/api/v1/tenant/branding/contrast?text=%23888888"
    assert (pair.passes, pair.nearest) == (False, "#767676")


def test_a_terminal_changes_what_it_names_and_keeps_the_rest() -> None:
    """An empty word takes something away."""
    with serving(answered(examples.BRANDING)) as server:
        result = run(server, "branding", "set", "--primary", "#112233", "--support-link", "")
    assert result.exit_code == 0, result.output
    assert json.loads(server.requests[-1].body) == {
        "display_name": "Maison Lumière",
        "colours": {**examples.COLOURS, "primary": "#112233"},
        "support_link": None,
        "sender_name": "Maison Lumière Studio",
        "language": "en",
    }
    assert "lumiere.client.example" in result.stdout


def test_a_terminal_says_when_a_brand_is_not_shown() -> None:
    """With the reason."""
    with serving(answered({**examples.BRANDING, "shown": False})) as server:
        result = run(server, "branding", "show")
    assert "white-label is not in your plan" in result.stdout


@pytest.mark.parametrize("more", [[], ["logo.png", "--remove"]])
def test_a_picture_is_named_or_taken_away(
    more: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither and both are wrong usage, and nothing is sent."""
    monkeypatch.chdir(tmp_path)
    Path("logo.png").write_bytes(b"x")
    with serving(answered(examples.BRANDING)) as server:
        result = run(server, "branding", "logo", *more)
    assert (result.exit_code, server.requests) == (Exit.USAGE, [])


def test_a_terminal_tells_the_record_and_whether_it_is_there() -> None:
    """By its status as well, for scripts."""
    with serving(answered(examples.DOMAIN)) as server:
        missing = run(server, "branding", "domains", "verify", examples.DOMAIN_ID)
    with serving(answered(FOUND)) as server:
        found = run(server, "branding", "domains", "verify", examples.DOMAIN_ID)
    assert missing.exit_code == Exit.SOME_FAILED
    assert examples.DOMAIN["record"]["value"] in missing.stdout
    assert (found.exit_code, "is verified" in found.stdout) == (0, True)
