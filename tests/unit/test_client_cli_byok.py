"""The command line of keys, routing and usage: no secret in its arguments, what to do in plain sight."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from libs.client.cli.main import app
from libs.client.cli.session import Exit
from libs.common.contracts.providers import ProviderName
from libs.common.providers import card
from services.gateway import byok_examples as examples
from services.gateway.byok_views import CredentialProvider, today
from tests.unit.client_server import Answer, Script, serving

KEY = "im_test_not-a-key"
PLANTED = "planted-at-the-terminal-42"
CREDENTIAL = examples.CREDENTIAL
FAILED = CREDENTIAL | {
    "health": examples.HEALTH
    | {
        "state": "failed",
        "code": "revoked",
        "detail": "It was revoked.",
        "advice": "Replace it with a new one.",
    }
}
CARDS = {
    "items": [
        CredentialProvider.of(card(name), today()).model_dump(mode="json")
        for name in (ProviderName.ONNX, ProviderName.OPEN_INFERENCE)
    ]
}
ADD = ["credentials", "add", "open-inference", "--label", "GPUs", "--set", "url=https://gpu.example"]


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the machine."""
    for name in ("MANNEQUIN_API_URL", "MANNEQUIN_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def answered(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode())


def run(server: Script, *args: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, [*args, "--api-url", server.url, "--api-key", KEY], input=typed)


def body(server: Script) -> Any:
    return json.loads(server.requests[-1].body)


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    """Without the line break at its end; the answer shows only its last characters."""
    file = tmp_path / "token"
    file.write_text(PLANTED + "\n")
    with serving(answered(CARDS), answered(CREDENTIAL, 201)) as server:
        result = run(server, *ADD, "--secret-file", f"bearer={file}", "--monthly-cap", "250")
    assert result.exit_code == 0, result.output
    assert body(server)["secret"] == {"bearer": PLANTED}
    assert body(server)["settings"] == {"url": "https://gpu.example"}
    assert body(server)["monthly_cap"] == "250"
    assert "…rver" in result.stdout
    assert PLANTED not in result.output


@pytest.mark.parametrize("way", [("--secret-file", "api_key=-"), ("--secret-prompt", "api_key")])
def test_a_secret_comes_from_standard_input_or_a_prompt(way: tuple[str, str]) -> None:
    """Without an echo."""
    with serving(answered(CARDS), answered(CREDENTIAL, 201)) as server:
        result = run(server, *ADD, *way, typed=f"{PLANTED}\n")
    assert result.exit_code == 0, result.output
    assert body(server)["secret"] == {"api_key": PLANTED}
    assert PLANTED not in result.output


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--set", f"bearer={PLANTED}"], "history"),
        (["--set", "nonsense"], "FIELD=VALUE"),
        ([], "--secret-file"),
        (["--secret-prompt", "nobody"], "no such secret field"),
        (["--secret-file", "/nowhere/token"], "say which"),
        (["--secret-file", "bearer=/nowhere/token"], "/nowhere/token"),
    ],
)
def test_what_can_not_be_is_wrong_usage_and_nothing_is_stored(args: list[str], told: str) -> None:
    """A secret among the arguments above all: it is in the history by then, and is never sent on."""
    with serving(answered(CARDS)) as server:
        result = run(server, *ADD, *args)
    assert result.exit_code == Exit.USAGE
    assert told in result.stderr.replace("\n", "")
    assert [request.path for request in server.requests] == ["/api/v1/credential-providers"]
    assert PLANTED not in result.stderr


def test_the_platform_itself_takes_no_key() -> None:
    """Those that do are named."""
    with serving(answered(CARDS)) as server:
        result = run(server, "credentials", "add", "onnx", "--label", "x")
    assert result.exit_code == Exit.USAGE
    assert "open-inference" in result.stderr


def test_the_list_shows_health_and_what_to_do() -> None:
    """For a key that failed: the advice; for one that is off: how to turn it on."""
    off = CREDENTIAL | {"id": "crd_2", "enabled": False}
    with serving(answered({"items": [FAILED, off]})) as server:
        result = run(server, "credentials", "list")
    assert "failed" in result.stdout
    assert "Replace it with a new one." in result.stdout
    assert "mannequin credentials enable crd_2" in result.stdout


@pytest.mark.parametrize(("shown", "status"), [(CREDENTIAL, Exit.OK), (FAILED, Exit.SOME_FAILED)])
def test_a_key_that_does_not_work_is_an_exit_status(shown: dict[str, Any], status: Exit) -> None:
    """For scripts that check it every night."""
    with serving(answered(shown)) as server:
        result = run(server, "credentials", "verify", "crd_1")
    assert result.exit_code == status


@pytest.mark.parametrize(
    ("command", "request_"),
    [
        (["rollback", "crd_1"], ("POST", "/api/v1/credentials/crd_1/rollback")),
        (["disable", "crd_1"], ("POST", "/api/v1/credentials/crd_1/disable")),
        (["enable", "crd_1"], ("POST", "/api/v1/credentials/crd_1/enable")),
        (["remove", "crd_1"], ("DELETE", "/api/v1/credentials/crd_1")),
        (["show", "crd_1"], ("GET", "/api/v1/credentials/crd_1")),
        (["change", "crd_1", "--monthly-cap", "none"], ("PATCH", "/api/v1/credentials/crd_1")),
    ],
)
def test_every_command_is_one_call(command: list[str], request_: tuple[str, str]) -> None:
    """That of its name."""
    with serving(answered(CREDENTIAL)) as server:
        result = run(server, "credentials", *command)
    assert result.exit_code == 0, result.output
    assert [(request.method, request.path) for request in server.requests] == [request_]


def test_a_replacement_asks_the_card_of_the_keys_own_provider(tmp_path: Path) -> None:
    """And sends only what is replaced."""
    file = tmp_path / "token"
    file.write_text(PLANTED)
    with serving(answered(CREDENTIAL), answered(CARDS), answered(CREDENTIAL)) as server:
        result = run(
            server, "credentials", "replace", "crd_1", "--secret-file", f"bearer={file}", "--grace", "60"
        )
    assert result.exit_code == 0, result.output
    assert body(server) == {"secret": {"bearer": PLANTED}, "grace_s": 60}


def test_providers_are_listed_with_what_they_ask_for_and_cost() -> None:
    """Secret fields are marked."""
    with serving(answered(CARDS)) as server:
        result = run(server, "credentials", "providers")
    assert "bearer*" in result.stdout
    assert "USD/second" in result.stdout


def test_a_policy_is_told_in_words() -> None:
    """With its cap, and what becomes of an image without a route."""
    with serving(answered(examples.POLICY)) as server:
        result = run(server, "routing", "set", "byok_then_platform", "--fallback-cap", "100")
    assert "for up to 100.00 USD a month" in result.stdout
    assert "wait" in result.stdout
    assert body(server)["fallback_monthly_cap"] == "100"


def test_usage_is_a_table_csv_or_json() -> None:
    """The total stands last."""
    with serving(answered(examples.USAGE)) as server:
        table = run(server, "usage", "--from", "2026-03-01", "--to", "2026-03-31", "--by", "day,payer")
        told = json.loads(run(server, "usage", "--json").stdout)
    assert "1.291" in table.stdout.splitlines()[-2]
    assert told["total"]["cost"] == "1.291"
    assert server.requests[0].path.endswith("?from=2026-03-01&to=2026-03-31&group_by=day%2Cpayer")
    with serving(Answer(body=examples.USAGE_CSV.encode())) as server:
        assert run(server, "usage", "--csv").stdout == examples.USAGE_CSV


def test_savings_are_a_picture() -> None:
    """Nine parts of ten moved, one remained."""
    with serving(answered(examples.SAVINGS)) as server:
        result = run(server, "usage", "savings")
    line = next(line for line in result.stdout.splitlines() if "2026-03" in line)
    assert (line.count("█"), line.count("▒")) == (4, 36)
    assert "90.0 %" in line


def test_savings_of_nothing_are_no_error() -> None:
    """A tenant of its first day."""
    nothing = {"month": "2026-03-01", "images": 0, "byok_images": 0, "without_byok": "0", "with_byok": "0"}
    with serving(answered({"rows": [], "total": nothing})) as server:
        assert run(server, "usage", "savings").exit_code == 0


def test_a_dry_run_says_what_a_batch_would_come_to(tmp_path: Path) -> None:
    """And sends no batch."""
    archive = tmp_path / "a.zip"
    archive.write_bytes(b"PK")
    with serving(answered(examples.ESTIMATE)) as server:
        result = run(server, "batch", str(archive), "--dry-run", "--size", "64")
    assert result.exit_code == 0, result.output
    assert "0.030525" in result.stdout
    assert "the tenant's own key" in result.stdout
    assert "dry_run=true" in server.requests[0].path
