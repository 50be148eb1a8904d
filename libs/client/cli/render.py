"""`mannequin render`: single photos, ahead of all batches."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from libs.client.cli import options
from libs.client.cli.session import Exit, session
from libs.client.models import Image
from libs.client.sync import Mannequin

_EXTENSIONS = {"image/png": "png", "image/webp": "webp", "image/jpeg": "jpg"}
_POLL_S = 0.1


def render(
    context: typer.Context,
    photos: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Photos.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where the results go.")] = Path(),
    background: options.Background = None,
    format_: options.Format = None,
    quality: options.Quality = None,
    size: options.Size = None,
    margin: options.Margin = None,
    crop: options.Crop = False,
) -> None:
    """Render photos one by one, ahead of all batches."""
    asked = options.given(background, format_, quality, size, margin, crop)
    here = session(context)
    output.mkdir(parents=True, exist_ok=True)
    ended: list[Image] = []
    with here.client() as client, here.progress() as bars:
        for photo in bars.track(photos, description="rendering"):
            ended.append(_render(client, photo, asked, output))
    table = Table("file", "status", "verdict", "ms", "reason")
    for image in ended:
        reason = image.failure.detail if image.failure else ", ".join(image.reasons)
        table.add_row(image.name, image.status, image.verdict or "", str(image.render_ms or ""), reason)
    here.answer(ended, table)
    if any(image.status != "completed" for image in ended):
        raise typer.Exit(Exit.SOME_FAILED)


def _render(client: Mannequin, photo: Path, asked: dict[str, Any], output: Path) -> Image:
    image = client.images.submit(photo, options=asked)
    while image.status in ("waiting", "rendering"):
        time.sleep(_POLL_S)
        image = client.images.get(image.id)
    if image.status == "completed":
        extension = _EXTENSIONS.get(image.media_type or "", "png")
        client.images.download(image.id, output / f"{photo.stem}.{extension}")
    return image
