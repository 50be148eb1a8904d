"""The guide to keys of one's own names nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import typer
from typer.core import TyperGroup

from libs.client.cli.main import app, plugins
from libs.common.contracts.webhooks import WebhookType
from services.gateway.problem_catalogue import CATALOGUE

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "byok.md"
TEXT = GUIDE.read_text(encoding="utf-8")


def test_every_hop_of_the_threat_model_names_tests_that_exist() -> None:
    """And every link leads somewhere."""
    links = re.findall(r"\]\(((?:\.\.)/[^)#]+)", TEXT)
    assert not [link for link in links if not (GUIDE.parent / link).resolve().exists()]
    hops = [line for line in TEXT.splitlines() if line.startswith("| ") and line.count(" | ") == 4]
    assert len(hops) > 10
    assert all("tests/" in hop or "shown by" in hop or "---" in hop for hop in hops)


def test_every_command_of_the_guide_exists() -> None:
    """As it is typed."""
    program = typer.main.get_command(app)
    assert isinstance(program, TyperGroup)
    groups = "credentials|routing|usage|webhooks|vault|tenants"
    for group, command in re.findall(rf"mannequin ({groups}) ([a-z]+)", TEXT):
        inner = program.commands.get(group) or plugins()[group]
        assert isinstance(inner, TyperGroup)
        assert command in inner.commands, f"{group} {command}"


def test_every_code_and_event_of_the_guide_exists() -> None:
    """Programs compare them."""
    for code in ("replacement_not_verified", "vault_unavailable"):
        assert f"`{code}`" in TEXT or f" {code}`" in TEXT
        assert code in CATALOGUE
    named = set(re.findall(r"`((?:credential|spend)\.[a-z_]+)`", TEXT))
    assert named == {kind.value for kind in WebhookType if kind.value.startswith(("credential", "spend"))}
