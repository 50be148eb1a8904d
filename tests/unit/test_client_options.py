"""Options on their way from a terminal or a program to the API."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import parse_qsl, urlsplit

import pytest
from typer.testing import CliRunner

from libs.client import models
from libs.client.calls import process_batch, submit_image
from libs.client.cli.main import app
from libs.client.cli.options import INSIDE, RENDER
from libs.client.cli.session import Exit
from libs.common.contracts.batch import BatchOptions
from libs.common.contracts.options import OptionFields, RenderOptions, Rendition
from tests.unit.client_server import Answer, Script, serving

KEY = "im_test_not-a-key"
IMAGE = {"id": "img_1", "batch_id": "bat_1", "status": "completed", "media_type": "image/avif"}


def described(name: str, media_type: str) -> dict[str, Any]:
    return {"name": name, "media_type": media_type, "size": 1, "sha256": "", "width": 1, "height": 1}


FILES = {
    "renditions": [described("thumb", "image/jpeg")],
    "artefacts": [described("alpha", "image/png")],
}
TYPES = [
    (models.RenderOptions, RenderOptions),
    (models.BatchOptions, BatchOptions),
    (models.Rendition, Rendition),
]


@pytest.mark.parametrize(
    ("typed", "model"),
    [
        (models.RenderOptions, RenderOptions),
        (models.BatchOptions, BatchOptions),
        (models.Rendition, Rendition),
    ],
)
def test_the_client_knows_every_option(typed: Any, model: Any) -> None:
    """By the names of the API; one that is added later is found missing here."""
    assert set(get_type_hints(typed)) == set(model.model_fields)


def test_the_command_line_has_every_option_that_is_one_value() -> None:
    """Renditions have a flag of their own; requirements in JSON are for programs."""
    flags = {option.name for option in (*RENDER, INSIDE)}
    assert flags - {INSIDE.name} == set(OptionFields.model_fields) - {"max_enlargement"}


def asked(server: Script) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(server.requests[0].path).query))


def sent(tmp_path: Path, *args: str, status: Exit = Exit.OK) -> dict[str, str]:
    """The query of a batch that is sent with these arguments."""
    photo = tmp_path / "a.zip"
    photo.write_bytes(b"PK")
    with serving(Answer(202, json.dumps({"id": "bat_1", "status": "accepted"}).encode())) as server:
        command = ["batch", str(photo), "--no-wait", "--api-url", server.url, "--api-key", KEY, *args]
        result = CliRunner().invoke(app, command)
        assert result.exit_code == status, result.output
        return asked(server)


def test_only_what_was_asked_for_is_sent(tmp_path: Path) -> None:
    """The API has the defaults."""
    assert sent(tmp_path) == {}
    assert sent(tmp_path, "--no-hollow", "--garment", "dress") == {"hollow": "false", "garment": "dress"}


def test_every_flag_becomes_its_option(tmp_path: Path) -> None:
    """Numbers and yes or no as the API reads them in a query."""
    flags: tuple[str, ...] = (
        "--fill-occlusions",
        "--artefacts",
        "--crop",
        "--align",
        "catalogue",
        "--shadow",
        "soft",
    )
    flags += ("--fill", "0.85", "--aspect", "4:5", "--dpi", "300", "--preset", "amazon", "--size", "900")
    flags += ("--inside-pattern", "innen,lining")
    assert sent(tmp_path, *flags) == {
        "fill_occlusions": "true",
        "artefacts": "true",
        "crop": "true",
        "align": "catalogue",
        "shadow": "soft",
        "fill": "0.85",
        "aspect": "4:5",
        "dpi": "300",
        "preset": "amazon",
        "size": "900",
        "inside_pattern": "innen,lining",
    }


def test_renditions_are_presets_or_json(tmp_path: Path) -> None:
    """As many as wanted."""
    query = sent(tmp_path, "--rendition", "shop=amazon", "--rendition", 'thumb={"size": 400, "name": "x"}')
    assert json.loads(query["renditions"]) == [
        {"name": "shop", "preset": "amazon"},
        {"name": "thumb", "size": 400},
    ]


@pytest.mark.parametrize("rendition", ["shop", "=amazon", "shop=", "shop={size: 3}"])
def test_a_rendition_that_is_none_is_wrong_usage(rendition: str, tmp_path: Path) -> None:
    """Before anything is sent."""
    (tmp_path / "a.zip").write_bytes(b"PK")
    result = CliRunner().invoke(app, ["batch", str(tmp_path / "a.zip"), "--rendition", rendition])
    assert result.exit_code == Exit.USAGE
    assert "--rendition" in result.stderr


def test_the_sdk_sends_what_has_parts_as_json() -> None:
    """Nothing else changes; None is as good as not given."""
    options: models.BatchOptions = {
        "size": 9,
        "crop": True,
        "renditions": [{"name": "a", "dpi": 72}],
        "own_preset": {"min_size": 20},
    }
    params = process_batch(Path("a.zip"), options, None).params
    parsed = {name: json.loads(params[name]) for name in ("renditions", "own_preset")}
    assert {**params, **parsed} == options
    nothing: Any = {"dpi": None}
    assert submit_image(Path("a.jpg"), nothing, None).params == {"wait": 0, "name": "a.jpg"}


def rendered(tmp_path: Path, names: Sequence[str]) -> dict[str, bytes]:
    """What a render leaves beside photos with these names."""
    for name in names:
        (tmp_path / name).write_bytes(b"photo")

    def answer(request: Any) -> Answer:
        if request.path.endswith(("/result", "/renditions/thumb", "/artefacts/alpha")):
            return Answer(200, request.path.rpartition("/")[2].encode())
        return Answer(200, json.dumps({**IMAGE, **FILES}).encode())

    with serving(answer) as server:
        files = [str(tmp_path / name) for name in names]
        command = ["render", *files, "-o", str(tmp_path), "--api-url", server.url, "--api-key", KEY]
        result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    return {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name not in names}


def test_everything_of_a_result_is_saved_beside_it(tmp_path: Path) -> None:
    """Each file under the photo's name and its own."""
    assert rendered(tmp_path, ["coat.jpg"]) == {
        "coat.avif": b"result",
        "coat.thumb.jpg": b"thumb",
        "coat.alpha.png": b"alpha",
    }
