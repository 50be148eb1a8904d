"""`mannequin batch` and `mannequin batches …`."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from libs.client.cli import options
from libs.client.cli.session import Exit, Session, session
from libs.client.models import Batch, Event
from libs.client.sync import Mannequin

app = typer.Typer(help="Look at batches and act on them.", no_args_is_help=True)
BatchId = Annotated[str, typer.Argument(help="The batch's id (bat_…).", show_default=False)]
Folder = Annotated[Path, typer.Option("-o", "--output", help="Where the results go.")]


def process(
    context: typer.Context,
    photos: Annotated[Path, typer.Argument(exists=True, help="A ZIP, or a folder of photos.")],
    output: Folder = Path(),
    wait: Annotated[bool, typer.Option(help="Wait for the end and save results.zip.")] = True,
    background: options.Background = None,
    format_: options.Format = None,
    quality: options.Quality = None,
    size: options.Size = None,
    margin: options.Margin = None,
    crop: options.Crop = False,
) -> None:
    """Send a ZIP or a folder of photos, wait for the end and save the results."""
    asked = options.given(background, format_, quality, size, margin, crop)
    here = session(context)
    with here.client() as client, _as_archive(photos) as archive:
        with here.progress() as bars:
            task = bars.add_task("uploading", total=archive.stat().st_size)
            batch = client.batches.process(
                archive, options=asked, progress=lambda size: bars.advance(task, size)
            )
        here.err.print(f"accepted as {batch.id}; to look again later: mannequin batches watch {batch.id}")
        if not wait:
            here.answer(batch, batch.id)
            return
        batch = _watch(here, client, batch.id)
        _save(here, client, batch, output)
    _finish(here, batch)


@app.command("list")
def list_(context: typer.Context, limit: Annotated[int, typer.Option(min=1, max=200)] = 20) -> None:
    """List batches, newest first."""
    here = session(context)
    with here.client() as client:
        page = client.batches.list(limit=limit)
    table = Table("batch", "status", "images", "failed", "created")
    for batch in page.items:
        failed = batch.counts.failed + batch.counts.refused
        table.add_row(batch.id, batch.status, str(batch.counts.total), str(failed), str(batch.created_at))
    here.answer(page.items, table)


@app.command()
def show(context: typer.Context, batch_id: BatchId) -> None:
    """Show a batch and its images."""
    here = session(context)
    with here.client() as client:
        batch, images = client.batches.get(batch_id), list(client.batches.images(batch_id))
    table = Table("file", "status", "verdict", "ms", "reason", title=f"{batch.id}: {batch.status}")
    for image in images:
        reason = image.failure.detail if image.failure else ", ".join(image.reasons)
        table.add_row(image.name, image.status, image.verdict or "", str(image.render_ms or ""), reason)
    here.answer([batch, *images], table)


@app.command()
def watch(context: typer.Context, batch_id: BatchId) -> None:
    """Follow a batch to its end."""
    here = session(context)
    with here.client() as client:
        batch = _watch(here, client, batch_id)
    _finish(here, batch)


@app.command()
def cancel(context: typer.Context, batch_id: BatchId) -> None:
    """Cancel what still waits; what renders is finished."""
    here = session(context)
    with here.client() as client:
        batch = client.batches.cancel(batch_id)
    here.answer(batch, f"{batch.id}: {batch.status}, {batch.counts.cancelled} images cancelled")


@app.command()
def retry(context: typer.Context, batch_id: BatchId) -> None:
    """Render the failed images again."""
    here = session(context)
    with here.client() as client:
        batch = client.batches.retry(batch_id)
    here.answer(batch, f"{batch.id}: {batch.status}, {batch.counts.waiting} images wait")


@app.command()
def results(context: typer.Context, batch_id: BatchId, output: Folder = Path()) -> None:
    """Save a batch's results.zip."""
    here = session(context)
    with here.client() as client:
        _save(here, client, client.batches.get(batch_id), output)


def _watch(here: Session, client: Mannequin, batch_id: str) -> Batch:
    with here.progress() as bars:
        task = bars.add_task("rendering", total=None)

        def show_event(event: Event) -> None:
            if event.kind in ("progress", "batch"):
                counts = Batch.model_validate(event.data).counts
                bars.update(task, total=counts.total or None, completed=counts.ended)

        return client.batches.wait(batch_id, on_event=show_event)


def _save(here: Session, client: Mannequin, batch: Batch, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    target = client.batches.download(batch.id, folder / f"{batch.id}.zip")
    here.err.print(f"saved {target}")


def _finish(here: Session, batch: Batch) -> None:
    counts = batch.counts
    summary = f"{batch.id}: {batch.status}; {counts.completed} of {counts.total} images completed"
    reason = f" ({batch.failure.detail})" if batch.failure else ""
    here.answer(batch, summary + reason)
    if batch.status != "completed" or counts.failed or counts.refused:
        raise typer.Exit(Exit.SOME_FAILED)


@contextmanager
def _as_archive(photos: Path) -> Iterator[Path]:
    """The ZIP itself, or a temporary one of a folder's files (stored: photos are compressed already)."""
    if photos.is_file():
        yield photos
        return
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "photos.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as zipped:
            for path in sorted(path for path in photos.rglob("*") if path.is_file()):
                zipped.write(path, path.relative_to(photos))
        yield archive
