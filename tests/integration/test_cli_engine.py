"""`mannequin engine`: the shipped model and the whole pipeline, from photos to files, without a server."""

from __future__ import annotations

import json
import os
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from libs.client.cli.main import app
from libs.client.cli.session import Exit
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.decode import decode
from training.photos import sample_photo

TURNED = 6
"""EXIF: the camera stood on its side; the photo is to be turned by 90 degrees."""


def run(*words: str | Path, status: int = 0) -> Result:
    result = CliRunner().invoke(app, ["engine", *map(str, words)], env={"COLUMNS": "200"})
    assert result.exit_code == status, f"{result.output}\n{result.exception!r}"
    return result


def jpeg(orientation: int = 1, seed: int = 0) -> bytes:
    """A drawn photo of 240×320 px as it is stored, to be turned as it says."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = BytesIO()
    Image.fromarray(sample_photo(seed, (320, 240)).rgb).save(out, "JPEG", quality=95, exif=exif)
    return out.getvalue()


def shot(folder: Path, *names: str, data: bytes | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(names):
        (folder / name).write_bytes(jpeg(seed=seed) if data is None else data)
    return folder


def pixels(path: Path) -> U8:
    with Image.open(path) as image:
        return np.asarray(image)


def told(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def lines(result: Result) -> list[Any]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_photo_becomes_a_result_and_a_verdict(tmp_path: Path) -> None:
    """Without being asked for more there is no more."""
    photo = shot(tmp_path / "in", "coat.jpg") / "coat.jpg"
    result = run("render", photo, "-o", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["coat.png", "coat.verdict.json"]
    verdict = told(tmp_path / "out/coat.verdict.json")
    assert verdict["size"] == {"width": 240, "height": 320}
    assert verdict["verdict"] in ("publishable", "review", "rejected")
    assert {"score", "findings", "preserved_fraction", "landmarks", "model", "timings"} <= verdict.keys()
    assert pixels(tmp_path / "out/coat.png").shape == (320, 240, 4)
    assert "coat" in result.stdout


def test_masks_have_the_upright_photo_s_size(tmp_path: Path) -> None:
    """Whatever size the result was asked to have, and however the camera was held."""
    photo = shot(tmp_path / "in", "turned.jpg", data=jpeg(TURNED)) / "turned.jpg"
    out = tmp_path / "out"
    words = ("--format", "webp", "--size", "100", "--background", "#ffffff", "--crop")
    run("render", photo, "-o", out, "--artefacts", *words)
    assert max(pixels(out / "turned.webp").shape) == 100
    masks = {name: pixels(out / f"turned.{name}.png") for name in ("alpha", "classes", "synthesized")}
    assert {mask.shape for mask in masks.values()} == {(240, 320)}
    assert {mask.dtype for mask in masks.values()} == {np.dtype(np.uint8)}
    assert set(np.unique(masks["classes"])) <= {0, 1, 2, 3}
    assert set(np.unique(masks["synthesized"])) <= {0, 255}
    assert told(out / "turned.verdict.json")["size"] == {"width": 320, "height": 240}


def test_what_is_not_synthesized_is_the_photo(tmp_path: Path) -> None:
    """Bit for bit, in the files as they lie there."""
    photo = shot(tmp_path / "in", "turned.jpg", data=jpeg(TURNED)) / "turned.jpg"
    run("render", photo, "-o", tmp_path / "out", "--artefacts")
    rgb, result = decode(photo.read_bytes()).rgb, pixels(tmp_path / "out/turned.png")
    own = pixels(tmp_path / "out/turned.synthesized.png") == 0
    assert own.any()
    assert (own == (pixels(tmp_path / "out/turned.alpha.png") == 255)).all()
    assert (result[own, :3] == rgb[own]).all()


def test_a_photo_that_fails_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    """With its reason on the terminal, in its verdict, and in the exit status."""
    folder = shot(tmp_path / "in", "a.jpg", "c.jpg")
    shot(folder, "b.jpg", data=jpeg()[:2000])
    result = run("render", folder, "-o", tmp_path / "out", status=Exit.SOME_FAILED)
    assert "truncated" in result.stdout
    assert told(tmp_path / "out/b.verdict.json")["code"] == "truncated"
    assert not (tmp_path / "out/b.png").exists()
    assert all((tmp_path / f"out/{name}.png").is_file() for name in "ac")


def test_json_is_a_line_for_each_photo(tmp_path: Path) -> None:
    """On standard output and nothing else, failures among them; each names its files."""
    folder = shot(tmp_path / "in", "a.jpg")
    shot(folder, "no.jpg", data=b"text")
    found = lines(run("render", folder, "-o", tmp_path / "out", "--json", status=Exit.SOME_FAILED))
    by_status = {line["status"]: line for line in found}
    assert by_status["rendered"]["files"] == {"result": "a.png"}
    assert by_status["failed"]["code"] == "not_an_image"
    assert by_status["failed"]["photo"].endswith("no.jpg")


def test_photos_of_one_name_do_not_meet(tmp_path: Path) -> None:
    """Each has its own result, and each result says whose it is."""
    one, other = shot(tmp_path / "one", "coat.jpg"), shot(tmp_path / "other", "hat.jpg", "coat.jpg")
    found = lines(run("render", one, other, "-o", tmp_path / "out", "--json"))
    files = {line["photo"]: line["files"]["result"] for line in found}
    assert files[str(one / "coat.jpg")] == "coat.png"
    assert files[str(other / "coat.jpg")] == "coat-2.png"
    different = pixels(tmp_path / "out/coat.png") != pixels(tmp_path / "out/coat-2.png")
    assert different.any()


def test_a_name_that_is_no_text_is_no_obstacle(tmp_path: Path) -> None:
    """Old cameras and archives leave such bytes in names of files."""
    folder = shot(tmp_path / "in", os.fsdecode(b"caf\xe9.jpg"))
    (line,) = lines(run("render", folder, "-o", tmp_path / "out", "--json"))
    assert (tmp_path / "out" / line["files"]["result"]).is_file()
    assert "caf" in run("render", folder, "-o", tmp_path / "out").stdout
    run("gallery", folder, "-o", tmp_path / "gallery")


def test_renditions_stand_beside_the_result(tmp_path: Path) -> None:
    """Each with its name and its own format."""
    folder = shot(tmp_path / "in", "a.jpg")
    asked = '[{"name": "thumb", "size": 64, "format": "jpeg", "background": "#ffffff"}]'
    (line,) = lines(run("render", folder, "-o", tmp_path / "out", "--json", "--renditions", asked))
    assert line["files"] == {"result": "a.png", "thumb": "a.thumb.jpg"}
    assert pixels(tmp_path / "out/a.thumb.jpg").shape == (64, 48, 3)


def test_the_inside_shot_belongs_to_one_photo(tmp_path: Path) -> None:
    """With one it is used; with two it is not known whose it is."""
    folder = shot(tmp_path / "in", "a.jpg", "b.jpg")
    inside = ("--inside", folder / "b.jpg")
    (line,) = lines(run("render", folder / "a.jpg", "-o", tmp_path / "out", "--json", *inside))
    assert any("inside" in stage for stage in line["timings"])
    assert "one photo" in run("render", folder, "-o", tmp_path / "out", *inside, status=Exit.USAGE).output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "no-such-model"), "no-such-model"),
        (("--provider", "abacus"), "abacus"),
        (("--format", "jpeg"), "transparency"),
        (("--quality", "101"), "quality"),
    ],
)
def test_wrong_usage_is_said_before_any_work(tmp_path: Path, words: tuple[str, str], said: str) -> None:
    """By name, with the status of wrong usage."""
    folder = shot(tmp_path / "in", "a.jpg")
    result = run("render", folder, "-o", tmp_path / "out", *words, status=Exit.USAGE)
    assert said in result.output


def test_a_folder_without_photos_is_wrong_usage(tmp_path: Path) -> None:
    """Rather than a success that did nothing."""
    assert "no photos" in run("render", tmp_path, "-o", tmp_path / "out", status=Exit.USAGE).output


def test_a_gallery_is_a_page_and_a_sheet(tmp_path: Path) -> None:
    """With the engine's own files beside it; a photo that failed is on it too."""
    folder = shot(tmp_path / "in", "a.jpg")
    shot(folder, "no.jpg", data=b"text")
    run("gallery", folder, "-o", tmp_path / "out", status=Exit.SOME_FAILED)
    assert "not_an_image" in (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert pixels(tmp_path / "out/contact-sheet.png").shape[2] == 3
    assert (tmp_path / "out/results/a.png").is_file()
