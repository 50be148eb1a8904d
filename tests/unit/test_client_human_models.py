"""Human models in the SDK and on the command line: what is sent, and what is told."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from libs.client import AsyncMannequin, Mannequin
from libs.client.cli.main import app
from libs.client.cli.session import Exit
from libs.client.errors import WaitTimeout
from libs.client.human_models.models import ConsentTerms
from libs.client.retry import RetryPolicy
from services.gateway import human_model_views as views
from tests.unit.client_server import Answer, Request, Script, serving

KEY = "im_test_not-a-key"
READY = views.HUMAN_MODEL
CHECKING = READY | {"status": "checking", "torso": None, "sha256": None}
REFUSED = CHECKING | {
    "status": "refused",
    "refusal": {"code": "person_several", "detail": "More than one person."},
}
TERMS: ConsentTerms = {
    "subject_name": "Alex Example",
    "scope": "The shop.",
    "obtained_at": datetime(2026, 2, 1, tzinfo=UTC),
    "reference": "HR-1",
}


def answered(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode())


def client(server: Script) -> Mannequin:
    return Mannequin(KEY, server.url, retry=RetryPolicy(attempts=3, base_s=0.001))


def parts(request: Request) -> dict[str, bytes]:
    """The content of each part of a form."""
    found = re.search(r"boundary=(\S+)", request.headers["content-type"])
    assert found is not None
    pieces = request.body.split(b"--" + found[1].encode())[1:-1]
    split = (piece.strip(b"\r\n").split(b"\r\n\r\n", 1) for piece in pieces)
    return {re.search(rb'name="(\w+)"', head)[1].decode(): body for head, body in split}  # type: ignore[index]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "alex.jpg"
    path.write_bytes(b"a photo")
    return path


def test_examples_are_valid() -> None:
    """By the models that they stand for."""
    views.HumanModel.model_validate(views.HUMAN_MODEL)
    views.NewHumanModel.model_validate(views.NEW_HUMAN_MODEL)


def test_a_model_is_sent_as_a_form_and_waited_for(photo: Path) -> None:
    """Again after a busy moment, under the same key."""
    script = (Answer(503), answered(CHECKING, 201), answered(CHECKING), answered(READY))
    with serving(*script) as server, client(server) as api:
        made = api.human_models.add(photo, TERMS, name="Alex")
        model = api.human_models.wait(made.id, timeout_s=10)
    assert (made.status, model.status) == ("checking", "ready")
    sent = parts(server.requests[1])
    assert sent["file"] == b"a photo"
    assert json.loads(sent["consent"]) == {
        "subject_name": "Alex Example",
        "scope": "The shop.",
        "obtained_at": "2026-02-01T00:00:00+00:00",
        "reference": "HR-1",
        "name": "Alex",
    }
    keys = {request.headers["idempotency-key"] for request in server.requests[:2]}
    assert len(keys) == 1
    assert "Alex Example" not in repr(model)


async def test_the_asyncio_client_does_the_same(photo: Path, tmp_path: Path) -> None:
    """Every call of it."""
    page = answered({"items": [READY], "next_cursor": None})
    script = (
        answered(READY, 201),
        answered(READY),
        page,
        answered(READY),
        Answer(200, b"pixels"),
        Answer(204, b""),
    )
    with serving(*script) as server:
        async with AsyncMannequin(KEY, server.url) as api:
            made = await api.human_models.add(photo, TERMS)
            assert (await api.human_models.wait(made.id)).id == made.id
            assert [one.id for one in (await api.human_models.list()).items] == [made.id]
            await api.human_models.change(made.id, consent_expires_at=None)
            saved = await api.human_models.download(made.id, tmp_path / "kept.png")
            await api.human_models.delete(made.id)
    assert parts(server.requests[0])["file"] == b"a photo"
    assert json.loads(server.requests[3].body) == {"consent_expires_at": None}
    assert saved.read_bytes() == b"pixels"
    assert [request.method for request in server.requests] == ["POST", "GET", "GET", "PATCH", "GET", "DELETE"]


def test_a_change_leaves_what_is_not_named(photo: Path) -> None:
    """A name alone says nothing of the consent."""
    with serving(answered(READY)) as server, client(server) as api:
        api.human_models.change("hum_1", name="Kim")
    assert json.loads(server.requests[0].body) == {"name": "Kim"}


def test_waiting_has_an_end() -> None:
    """It can be taken up again."""
    with (
        serving(answered(CHECKING)) as server,
        client(server) as api,
        pytest.raises(WaitTimeout, match="hum_"),
    ):
        api.human_models.wait(READY["id"], timeout_s=0)


def run(server: Script, *arguments: str) -> Any:
    return CliRunner().invoke(app, ["human-models", *arguments, "--api-url", server.url, "--api-key", KEY])


def adding(photo: Path) -> list[str]:
    told = ["--subject", "Alex Example", "--scope", "The shop.", "--obtained", "2026-02-01"]
    return ["add", str(photo), *told, "--reference", "HR-1", "--expires", "2029-02-01"]


def test_the_command_line_adds_and_shows(photo: Path) -> None:
    """With the consent as it was declared."""
    with serving(answered(CHECKING, 201), answered(READY)) as server:
        result = run(server, *adding(photo))
    assert result.exit_code == 0, result.output
    assert READY["id"] in result.output
    assert "ready" in result.output
    consent = json.loads(parts(server.requests[0])["consent"])
    assert consent["expires_at"] == "2029-02-01T00:00:00+00:00"


def test_a_refused_photo_is_a_failure_with_its_reason(photo: Path) -> None:
    """A script can tell."""
    with serving(answered(REFUSED, 201)) as server:
        result = run(server, *adding(photo))
    assert result.exit_code == Exit.SOME_FAILED
    assert "More than one person." in result.output


def test_the_command_line_lists_all_and_deletes() -> None:
    """Page by page."""
    first, second = ({"items": [READY], "next_cursor": "c"}, {"items": [REFUSED], "next_cursor": None})
    with serving(answered(first), answered(second), Answer(204, b"")) as server:
        listed = run(server, "list")
        deleted = run(server, "delete", READY["id"])
    assert listed.output.count(READY["id"]) == 2
    assert "More than one person." in listed.output
    assert deleted.exit_code == 0
    assert "cursor=c" in server.requests[1].path


def test_a_render_names_its_model(photo: Path, tmp_path: Path) -> None:
    """As an option like all others."""
    with serving(Answer(422, b'{"code": "human_model_not_found"}')) as server:
        options = ["--render", "on_model", "--human-model", READY["id"]]
        command = [
            "render",
            str(photo),
            "-o",
            str(tmp_path),
            *options,
            "--api-url",
            server.url,
            "--api-key",
            KEY,
        ]
        CliRunner().invoke(app, command)
    assert "render=on_model" in server.requests[0].path
    assert f"human_model={READY['id']}" in server.requests[0].path
