"""The command line without a system: its words, its exit statuses and what it keeps to itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from libs.client.cli import main
from libs.client.cli.main import app, hoisted
from libs.client.cli.render import Names
from libs.client.cli.session import Exit
from tests.unit.client_server import Answer, serving

KEY = "im_test_not-a-key"
run = CliRunner().invoke


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """No terminal, no settings of the machine."""
    for name in ("MANNEQUIN_API_URL", "MANNEQUIN_API_KEY", "MANNEQUIN_BUS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "120")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["batch", "a", "--json"], ["--json", "batch", "a"]),
        (
            ["batches", "list", "--api-key", "k", "--limit", "3"],
            ["--api-key", "k", "batches", "list", "--limit", "3"],
        ),
        (["batch", "--api-url=u", "a"], ["--api-url=u", "batch", "a"]),
        (["render", "--", "--json"], ["render", "--", "--json"]),
        (["batches", "list", "--api-key"], ["batches", "list", "--api-key"]),
    ],
)
def test_global_options_may_stand_anywhere(given: list[str], meant: list[str]) -> None:
    """But behind `--` they are names of files, and one without a value is wrong usage."""
    assert hoisted(given) == meant


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Answer(401), Exit.UNAUTHORIZED),
        (Answer(404), Exit.NOT_FOUND),
        (Answer(409), Exit.REFUSED),
        (Answer(422), Exit.REFUSED),
        (Answer(500), Exit.UNREACHABLE),
        (Answer(429, headers={"retry-after": "3600"}), Exit.UNREACHABLE),
        (Answer(200, b"<html>"), Exit.UNREACHABLE),
    ],
)
def test_what_went_wrong_is_the_exit_status(answer: Answer, status: Exit) -> None:
    """And a line of JSON on standard error where that was asked for, nothing on standard output."""
    with serving(answer) as server:
        result = run(app, ["batches", "cancel", "bat_1", "--json", "--api-url", server.url, "--api-key", KEY])
    assert result.exit_code == status
    assert result.stdout == ""
    assert "detail" in json.loads(result.stderr)["error"]


def test_a_problem_is_told_in_a_line_that_says_what_to_do() -> None:
    """No stack trace, and never the key."""
    problem = {"code": "invalid", "detail": "Too large.", "field": "size", "hint": "Take less."}
    with serving(Answer(422, json.dumps(problem).encode())) as server:
        result = run(app, ["--api-url", server.url, "--api-key", KEY, "batches", "cancel", "bat_1"])
    assert result.stderr == "Too large. (size) Take less.\n"


@pytest.mark.parametrize(
    ("args", "status"),
    [
        (["batches", "list"], Exit.UNAUTHORIZED),
        (["batches", "list", "--api-key", KEY, "--api-url", "nowhere"], Exit.USAGE),
        (["batches", "list", "--limit", "0"], Exit.USAGE),
        (["batches", "list", "--no-such"], Exit.USAGE),
        (["no-such"], Exit.USAGE),
        (["batch", "no-such.zip"], Exit.USAGE),
        (["render"], Exit.USAGE),
    ],
)
def test_what_can_not_work_is_said_before_anything_is_sent(args: list[str], status: Exit) -> None:
    """By the shell's custom."""
    result = run(app, args)
    assert result.exit_code == status, result.stderr
    assert result.stderr
    assert "Traceback" not in result.stderr
    assert KEY not in result.output


def test_an_empty_folder_is_wrong_usage(tmp_path: Path) -> None:
    """Nobody is asked for it."""
    result = run(app, ["batch", str(tmp_path), "--api-key", KEY])
    assert (result.exit_code, result.stderr) == (Exit.USAGE, f"There are no files in {tmp_path}.\n")


def test_names_that_look_like_markup_are_shown_as_they_are() -> None:
    """A photo may be called anything."""
    batch = {"id": "bat_1", "status": "completed"}
    image = {"id": "img_1", "batch_id": "bat_1", "status": "completed", "name": "[red]x[/nonsense].jpg"}
    pages = Answer(body=json.dumps(batch).encode()), Answer(body=json.dumps({"items": [image]}).encode())
    with serving(*pages) as server:
        result = run(app, ["batches", "show", "bat_1", "--api-url", server.url, "--api-key", KEY])
    assert result.exit_code == 0, result.output
    assert image["name"] in result.stdout


def test_help_names_every_exit_status_and_the_plugins_commands() -> None:
    """Scripts rely on the one, operators on the other."""
    shown = run(app, ["--help"]).stdout
    assert all(f"{status:d} " in shown for status in Exit)
    assert all(command in shown for command in ("render", "batches", "webhooks", "tenants", "keys", "demo"))
    assert KEY not in run(app, ["--help"], env={"MANNEQUIN_API_KEY": KEY}).output


def test_the_commands_of_the_client_import_no_plugin_and_no_http_library() -> None:
    """Until they need it: a program that is typed should answer as one."""
    code = (
        "import sys; from libs.client.cli.main import app\n"
        "try: app(['batches', 'list'])\n"
        "except SystemExit as end: status = end.code\n"
        "heavy = {'httpx', 'rich.table', 'deploy', 'libs.common'} & set(sys.modules)\n"
        "sys.exit(f'{status} {heavy}')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == "3 set()"


def test_a_plugin_that_can_not_be_imported_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, for the one who can mend it."""

    class Plugin:
        def __init__(self, value: str, *, there: bool) -> None:
            self.value, self.there = value, there

        def load(self) -> object:
            if not self.there:
                raise ImportError("no such library")
            return lambda host: host.command("extra")(lambda: typer.echo("done"))

    plugins = [Plugin("a.broken:register", there=False), Plugin("a.good:register", there=True)]
    monkeypatch.setattr(main, "entry_points", lambda group: plugins)
    main.plugins.cache_clear()
    try:
        result = run(app, ["extra"])
    finally:
        main.plugins.cache_clear()
    assert (result.exit_code, result.stdout) == (0, "done\n")
    assert "a.broken:register" in result.stderr


def test_a_result_never_replaces_a_photo_or_another_result(tmp_path: Path) -> None:
    """Where photos and results lie in one folder, or two photos have one name."""
    photos = [tmp_path / "coat.png", tmp_path / "a" / "hat.jpg", tmp_path / "b" / "hat.jpg"]
    names = Names(tmp_path, photos)
    made = [names.of(photo, "png").name for photo in photos]
    assert made == ["coat (2).png", "hat.png", "hat (2).png"]


@pytest.mark.parametrize("args", [["tenants", "list"], ["keys", "list", "ten_x"]])
def test_operators_are_told_that_no_system_runs(
    args: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no state folder and no setting; or that the id is none."""
    monkeypatch.chdir(tmp_path)
    result = run(app, args)
    assert result.exit_code == Exit.USAGE
    assert len(result.stderr.splitlines()) == 1
