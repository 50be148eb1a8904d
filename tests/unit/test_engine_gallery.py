"""The gallery: what its page says, and that names of files stay text in it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from deploy.engine.gallery.page import page
from deploy.engine.gallery.panels import COLOURS, Panels, Shown, checkered, over, tinted
from deploy.engine.gallery.sheet import write_sheet
from deploy.engine.gallery.write import Gallery, write_gallery
from deploy.engine.work import Job, Outcome
from libs.common.contracts.options import RenderOptions
from services.inference.pipeline.render import Render, render
from tests.unit.picture_samples import ColourSegmenter, draw_photo, encoded

HOSTILE = "<script>alert(1)</script>.jpg".replace("/", "\u2215")
ODD = 'a "b" & c#d?e%20.jpg'

BOX = {"left": 75, "top": 40, "width": 150, "height": 200}
KINDS = ("photo", "classes", "alpha", "result")


def renderer(photo: bytes, options: RenderOptions, inside: bytes | None = None) -> Render:
    return render(photo, options, ColourSegmenter(), inside)


class Reader(HTMLParser):
    """Tags and addresses of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.boxes: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href") and value]
        self.boxes += [value for name, value in attrs if name == "style" and value and "left" in value]


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    """Of two photos with names that could do harm, and one that is none."""
    for name in (HOSTILE, ODD):
        (tmp_path / name).write_bytes(encoded(draw_photo(), "JPEG"))
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    found = sorted(tmp_path.glob("*.jpg"))
    done: list[None] = []
    written = write_gallery(found, tmp_path / "out", renderer, 1, lambda: done.append(None))
    assert len(done) == len(found) == 3
    return written


def test_a_file_s_name_is_text_and_no_markup(gallery: Gallery) -> None:
    """The page has no script, whatever the photos are called."""
    text = gallery.page.read_text(encoding="utf-8")
    assert "script" not in Reader(text).tags
    assert "&lt;script&gt;" in text
    assert "a &quot;b&quot; &amp; c#d?e%20.jpg" in text


def test_every_picture_of_the_page_is_there(gallery: Gallery) -> None:
    """Beside it, by relative addresses that a browser can follow."""
    read = Reader(gallery.page.read_text(encoding="utf-8"))
    assert read.tags.count("img") == 12
    for address in read.addresses:
        assert not re.match(r"[a-z]+:|/", address)
        assert (gallery.page.parent / unquote(address.partition("#")[0])).is_file()


def test_a_photo_that_failed_is_named_with_its_reason(gallery: Gallery) -> None:
    """The others are shown."""
    text = gallery.page.read_text(encoding="utf-8")
    assert (gallery.photos, gallery.failed) == (3, 1)
    assert "1 failed" in text
    assert "<code>not_an_image</code>" in text
    assert "mannequin" not in Reader(text).tags


def with_a_halo(gallery: Gallery) -> Shown:
    """A photo of 300×400 px of that gallery, as if a fault had been found at a place in it."""
    found = {
        **json.loads(next((gallery.page.parent / "results").glob("a*.verdict.json")).read_text()),
        "findings": [{"code": "halo", "detail": "A rim.", "box": BOX}],
    }
    panel = {kind: next((gallery.page.parent / "panels").glob(f"a*.{kind}.*")) for kind in KINDS}
    job = Job(Path("a.jpg"), "a", gallery.page.parent / "results", RenderOptions())
    return Shown(Outcome(job, found), Panels(**panel, size=(300, 400)))


def test_findings_are_drawn_where_they_are(gallery: Gallery, tmp_path: Path) -> None:
    """In percent of the photo on the page, in red on the sheet."""
    shown = with_a_halo(gallery)
    boxes = Reader(page([shown], gallery.page.parent)).boxes
    assert boxes == ["left: 25.00%; top: 10.00%; width: 50.00%; height: 50.00%"]
    write_sheet([shown], tmp_path / "sheet.png")
    colours = np.asarray(Image.open(tmp_path / "sheet.png").convert("RGB")).reshape(-1, 3)
    assert (colours == (0xFF, 0x2D, 0x55)).all(1).sum() > 500


def test_the_sheet_shows_the_result_on_each_ground(gallery: Gallery) -> None:
    """It is a PNG with room for all of them."""
    with Image.open(gallery.sheet) as sheet:
        assert sheet.format == "PNG"
        assert sheet.width > 1200


def test_classes_have_the_colours_of_the_legend() -> None:
    """The background is dimmed and has none."""
    rgb = np.full((1, 4, 3), 100, np.uint8)
    drawn = tinted(rgb, np.array([[0, 1, 2, 3]], np.uint8)).astype(int)
    assert len(set(drawn[0, 0])) == 1
    assert drawn[0, 0, 0] < 100
    for place, colour in enumerate(COLOURS.values(), 1):
        assert np.argmax(drawn[0, place]) == np.argmax(colour)


def test_a_cut_out_lies_on_its_ground() -> None:
    """Half of a colour and half of the checkerboard where alpha is a half."""
    rgba = np.array([[[200, 0, 0, 255], [200, 0, 0, 0], [200, 0, 0, 128]]], np.uint8)
    ground = checkered((3, 1))
    assert over(rgba, ground)[0].tolist() == [[200, 0, 0], [255, 255, 255], [227, 127, 127]]
    assert checkered((26, 1))[0, :, 0].tolist() == [255] * 12 + [222] * 12 + [255] * 2
