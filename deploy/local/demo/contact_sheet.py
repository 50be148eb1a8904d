"""Before and after, side by side, on one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_CELL = (260, 340)
_GAP, _CAPTION = 14, 26
_COLUMNS = 3
_CHECKER = 13
_COLOURS = {"publishable": "#1a7f37", "review": "#9a6700", "rejected": "#cf222e"}


@dataclass(frozen=True)
class Pair:
    """A photo and its result (None where there is none), with what is written below."""

    before: bytes
    after: bytes | None
    caption: str
    verdict: str


def write_contact_sheet(pairs: Sequence[Pair], path: Path) -> None:
    """A JPEG of all pairs; transparency shows as a checkerboard."""
    width, height = 2 * _CELL[0] + 3 * _GAP, _CELL[1] + _CAPTION + 2 * _GAP
    rows = max(1, math.ceil(len(pairs) / _COLUMNS))
    sheet = Image.new("RGB", (width * min(_COLUMNS, len(pairs) or 1), height * rows), "#f6f8fa")
    for number, pair in enumerate(pairs):
        row, column = divmod(number, _COLUMNS)
        _draw(sheet, pair, column * width + _GAP, row * height + _GAP)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, quality=88)


def _draw(sheet: Image.Image, pair: Pair, left: int, top: int) -> None:
    sheet.paste(_cell(pair.before), (left, top))
    if pair.after is not None:
        sheet.paste(_cell(pair.after), (left + _CELL[0] + _GAP, top))
    colour = _COLOURS.get(pair.verdict, "#57606a")
    font = ImageFont.load_default(size=15)
    draw = ImageDraw.Draw(sheet)
    draw.text((left, top + _CELL[1] + 6), pair.caption, fill="#1f2328", font=font)
    end = left + 2 * _CELL[0] + _GAP
    draw.text((end, top + _CELL[1] + 6), pair.verdict, fill=colour, font=font, anchor="ra")


def _cell(data: bytes) -> Image.Image:
    """The picture as large as fits, on a checkerboard."""
    picture = Image.open(BytesIO(data)).convert("RGBA")
    picture.thumbnail(_CELL)
    cell = _checkerboard()
    place = ((_CELL[0] - picture.width) // 2, (_CELL[1] - picture.height) // 2)
    cell.paste(picture, place, picture)
    return cell


def _checkerboard() -> Image.Image:
    cell = Image.new("RGB", _CELL, "white")
    draw = ImageDraw.Draw(cell)
    for top in range(0, _CELL[1], _CHECKER):
        for left in range(top // _CHECKER % 2 * _CHECKER, _CELL[0], 2 * _CHECKER):
            draw.rectangle((left, top, left + _CHECKER - 1, top + _CHECKER - 1), fill="#e6e9ed")
    return cell
