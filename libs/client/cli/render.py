"""`mannequin render`: single photos, ahead of all batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from libs.client.cli.bars import count_bar
from libs.client.cli.options import takes_options
from libs.client.cli.session import Exit, session, table
from libs.client.errors import Refused

if TYPE_CHECKING:
    from libs.client.models import Image, RenderOptions
    from libs.client.sync import Mannequin

_AHEAD = 8
"""Photos that are sent before the first of them has to be done."""
_OF_THE_REQUEST = ("invalid", "unknown_parameter")
_EXTENSIONS = {"image/png": "png", "image/webp": "webp", "image/jpeg": "jpg", "image/avif": "avif"}


@takes_options()
def render(
    context: typer.Context,
    photos: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Photos.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The folder that takes the results.")
    ] = Path(),
    *,
    asked: RenderOptions,
) -> None:
    """Render single photos, ahead of all batches.

    A result has the name of its photo, renditions and artefacts their own name behind it. It replaces an
    earlier result, but never one of the photos.
    """
    here = session(context)
    with here.client() as client, count_bar("rendering", len(photos)) as done:
        output.mkdir(parents=True, exist_ok=True)
        names = Names(output, photos)
        ended: list[Image] = []
        for photo, image in _rendered(client, photos, asked):
            ended.append(image)
            if image.status == "completed":
                _save(client, image, photo, names)
            done()
    rows = ((image.name, image.status, image.verdict, image.render_ms, image.reason) for image in ended)
    here.answer(ended, table(("file", "status", "verdict", "ms", "reason"), rows))
    if any(image.status != "completed" for image in ended):
        raise typer.Exit(Exit.SOME_FAILED)


class Names:
    """Where each result goes: beside no other result, and over none of the photos."""

    def __init__(self, folder: Path, photos: Sequence[Path]) -> None:
        self._folder = folder
        self._taken = {photo.resolve() for photo in photos}

    def of(self, photo: Path, extension: str) -> Path:
        number = 1
        path = self._folder / f"{photo.stem}.{extension}"
        while path.resolve() in self._taken:
            number += 1
            path = self._folder / f"{photo.stem} ({number}).{extension}"
        self._taken.add(path.resolve())
        return path


def _save(client: Mannequin, image: Image, photo: Path, names: Names) -> None:
    client.images.download(image.id, names.of(photo, _extension(image.media_type)))
    for file in image.renditions:
        path = names.of(photo, f"{file.name}.{_extension(file.media_type)}")
        client.images.download_rendition(image.id, file.name, path)
    for file in image.artefacts:
        path = names.of(photo, f"{file.name}.{_extension(file.media_type)}")
        client.images.download_artefact(image.id, file.name, path)


def _extension(media_type: str | None) -> str:
    return _EXTENSIONS.get(media_type or "", "png")


def _rendered(
    client: Mannequin, photos: Sequence[Path], asked: RenderOptions
) -> Iterator[tuple[Path, Image]]:
    """Each photo with its image once that has ended, in order; the next ones are sent meanwhile."""
    sent: deque[tuple[Path, Image]] = deque()
    for photo in photos:
        sent.append((photo, _submit(client, photo, asked)))
        if len(sent) >= _AHEAD:
            yield _awaited(client, *sent.popleft())
    while sent:
        yield _awaited(client, *sent.popleft())


def _submit(client: Mannequin, photo: Path, asked: RenderOptions) -> Image:
    """A photo that the API does not take fails alone; options that it does not take end the command."""
    from libs.client.models import Failure, Image

    try:
        return client.images.submit(photo, options=asked)
    except Refused as error:
        if error.code in _OF_THE_REQUEST:
            raise
        failure = Failure(code=error.code, detail=str(error))
        return Image(id="", batch_id="", name=photo.name, status="refused", failure=failure)


def _awaited(client: Mannequin, photo: Path, image: Image) -> tuple[Path, Image]:
    return photo, image if image.ended else client.images.wait(image)
