"""`mannequin demo`: what it shows, and that it fails by name where something was not as it should be."""

from __future__ import annotations

import os
import signal
import subprocess
from io import BytesIO
from pathlib import Path

import psutil
import pytest
from PIL import Image

from deploy.local.demo import results
from deploy.local.demo.contact_sheet import MOST, Pair, write_contact_sheet
from deploy.local.ports import Ports
from libs.client import models
from tests.integration.cli_caller import PROGRAM, shoot

CENTRE = (14 + 130, 14 + 170)
BESIDE = (CENTRE[0] + 260 + 14, CENTRE[1])


def encoded(picture: Image.Image, format_: str, **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, format_, **options)
    return buffer.getvalue()


def drawn(before: bytes, after: bytes, path: Path, count: int = 1) -> Image.Image:
    """The sheet of `count` such pairs."""
    pair = Pair(lambda: before, lambda: after, "a/very/long/path/" * 9 + "coat.jpg", "review")
    assert write_contact_sheet([pair] * count, path) == min(count, MOST)
    return Image.open(path).convert("RGB")


def colour(sheet: Image.Image, place: tuple[int, int]) -> tuple[int, ...]:
    pixel = sheet.getpixel(place)
    assert isinstance(pixel, tuple)
    return pixel


def is_red(sheet: Image.Image, place: tuple[int, int]) -> bool:
    red, green, blue = colour(sheet, place)
    return red > 200 and max(green, blue) < 60


def is_checkered(sheet: Image.Image, place: tuple[int, int]) -> bool:
    """Whether light tiles and white ones take turns from here."""
    tones = [colour(sheet, (place[0] + 13 * number, place[1]))[0] for number in range(4)]
    return tones[0] != tones[1] and abs(tones[0] - tones[2]) < 5 and max(tones) - min(tones) > 15


def test_transparency_shows_as_a_checkerboard(tmp_path: Path) -> None:
    """And what is opaque covers it."""
    red, clear = Image.new("RGB", (300, 400), "red"), Image.new("RGBA", (300, 400), (0, 0, 0, 0))
    sheet = drawn(encoded(red, "JPEG"), encoded(clear, "PNG"), tmp_path / "sheet.jpg")
    assert is_red(sheet, CENTRE)
    assert is_checkered(sheet, BESIDE)


def test_photos_stand_upright_whatever_their_colours(tmp_path: Path) -> None:
    """By their EXIF orientation; a print shop's CMYK is a photo as well."""
    wide = Image.new("CMYK", (400, 100), (0, 255, 255, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    sheet = drawn(encoded(wide, "JPEG", exif=exif), encoded(wide, "TIFF"), tmp_path / "sheet.jpg")
    assert is_red(sheet, CENTRE)
    assert is_red(sheet, BESIDE)
    assert is_red(sheet, (CENTRE[0], CENTRE[1] - 120))
    assert not is_red(sheet, (BESIDE[0], BESIDE[1] - 120))


def test_a_sheet_has_room_for_any_number(tmp_path: Path) -> None:
    """The first ones; a picture that can't be read leaves its place empty."""
    sheet = drawn(b"no picture", b"", tmp_path / "sheet.jpg", MOST + 1)
    assert is_checkered(sheet, CENTRE)


def test_every_photo_without_a_result_is_named(tmp_path: Path) -> None:
    """Refused, lost on the way to the archive, or never listed; but no inside shot, which has none."""
    images = [
        models.Image(id="1", batch_id="b", name="good.jpg", status="completed"),
        models.Image(id="2", batch_id="b", name="lost.jpg", status="completed"),
        models.Image(id="3", batch_id="b", name="bad.jpg", status="failed"),
        models.Image(id="4", batch_id="b", name="good_inside.jpg", status="paired"),
    ]
    (tmp_path / "good.png").touch()
    files = {"1": tmp_path / "good.png", "2": tmp_path / "lost.png"}
    faults = list(results.missing(images, files, frozenset({"good.jpg", "unheard.jpg"})))
    assert [fault.split()[0] for fault in faults] == ["lost.jpg", "bad.jpg", "unheard.jpg"]


@pytest.fixture
def port(ports: Ports) -> str:
    return str(ports.get("gateway of the demonstration"))


def test_the_demonstration_of_own_photos_fails_by_name(tmp_path: Path, port: str) -> None:
    """All else is done all the same, and what else lies in its folder stays there."""
    photos = shoot(tmp_path / "shoot", 2)
    (photos / "notes.txt").write_text("no photo")
    kept = tmp_path / "out" / "mine.txt"
    kept.parent.mkdir()
    kept.touch()
    command = (*PROGRAM, "demo", "--once", "--state", "state", "--photos", str(photos))
    environment = os.environ | {"GATEWAY_PORT": port, "COLUMNS": "200"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr
    faults = [line for line in done.stderr.splitlines() if line.startswith("- ")]
    assert [fault.partition(":")[0] for fault in faults] == ["- notes.txt is refused"]
    assert "batch.completed received, its signature verifies" in done.stdout
    assert "curl" in done.stdout
    assert sorted(path.name for path in (tmp_path / "out" / "results").iterdir()) == [
        "manifest.json",
        "photo-000.png",
        "photo-001.png",
    ]
    with Image.open(tmp_path / "out" / "contact-sheet.jpg") as sheet:
        assert sheet.width > 1000
    assert kept.exists()
    assert (tmp_path / "state" / "demo.json").stat().st_mode & 0o777 == 0o600


def test_the_demonstration_stays_up_until_it_is_told_to_stop(tmp_path: Path, port: str) -> None:
    """Ctrl-C then ends it with everything that it started."""
    photos = shoot(tmp_path / "shoot", 1)
    command = (*PROGRAM, "demo", "--state", "state", "--photos", str(photos))
    environment = os.environ | {"GATEWAY_PORT": port, "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "stays up" in line:
                process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130, "".join(lines)
    assert lines[-1] == "stopped\n"
    assert not [process for process in psutil.process_iter() if _is_of(process, str(tmp_path))]


def _is_of(process: psutil.Process, folder: str) -> bool:
    """Whether the process was started on something in the folder."""
    try:
        words = (*process.cmdline(), *process.environ().values())
    except psutil.Error:
        return False
    return any(folder in word for word in words)
