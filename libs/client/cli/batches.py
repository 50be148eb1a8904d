"""`mannequin batch` and `mannequin batches …`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from libs.client.cli.bars import batch_bar, bytes_bar, file_bar
from libs.client.cli.money import usd
from libs.client.cli.options import INSIDE, takes_options
from libs.client.cli.session import Exit, Session, session, table, when

if TYPE_CHECKING:
    from libs.client.models import Batch, BatchOptions, Image
    from libs.client.sync import Mannequin

app = typer.Typer(help="Look at batches and act on them.", no_args_is_help=True)
BatchId = Annotated[str, typer.Argument(help="The batch's id (bat_…).", show_default=False)]
Folder = Annotated[Path, typer.Option("-o", "--output", help="The folder that takes the results' ZIP.")]


@takes_options(INSIDE)
def process(
    context: typer.Context,
    photos: Annotated[Path, typer.Argument(exists=True, help="A ZIP, or a folder of photos.")],
    output: Folder = Path(),
    wait: Annotated[bool, typer.Option(help="Wait for the end and save the results.")] = True,
    idempotency_key: Annotated[
        str | None, typer.Option(help="The same key with the same photos is the same batch.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would come to; nothing is rendered.")
    ] = False,
    *,
    asked: BatchOptions,
) -> None:
    """Send a ZIP or a folder of photos, wait for the end and save the results.

    Once accepted it goes on by itself, whatever becomes of this command:

    `mannequin batches watch ID` takes the waiting up again.
    """
    here = session(context)
    with here.client() as client, _as_archive(photos) as archive:
        if dry_run:
            _estimate(here, client, archive, asked)
            return
        with bytes_bar("uploading", archive.stat().st_size) as sent:
            batch = client.batches.process(
                archive, options=asked, idempotency_key=idempotency_key, progress=sent
            )
        with _goes_on(here, batch.id):
            here.note(f"accepted as {batch.id}")
            if not wait:
                here.answer(batch, batch.id)
                return
            _follow(here, client, batch.id, output)


@app.command("list")
def list_(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    cursor: Annotated[str | None, typer.Option(help="Where the last page ended.")] = None,
) -> None:
    """List batches, newest first."""
    here = session(context)
    with here.client() as client:
        page = client.batches.list(cursor, limit)
    rows = ((b.id, b.status, b.counts.total, _lost(b), when(b.created_at)) for b in page.items)
    here.answer(page, table(("batch", "status", "images", "failed", "created"), rows))
    if page.next_cursor:
        here.note(f"more: mannequin batches list --limit {limit} --cursor {page.next_cursor}")


@app.command()
def show(context: typer.Context, batch_id: BatchId) -> None:
    """Show a batch and its images."""
    here = session(context)
    with here.client() as client:
        batch, images = client.batches.get(batch_id), list(client.batches.images(batch_id))
    rows = (
        (image.name, image.status, image.verdict, image.render_ms, _paid(image), image.reason)
        for image in images
    )
    columns = ("file", "status", "verdict", "ms", "computed by", "reason")
    here.answer({"batch": batch, "images": images}, table(columns, rows, title=_summary(batch)))


@app.command()
def watch(
    context: typer.Context,
    batch_id: BatchId,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Save the results' ZIP in this folder, too.")
    ] = None,
) -> None:
    """Follow a batch to its end; go on with that after an interruption."""
    here = session(context)
    with here.client() as client, _goes_on(here, batch_id):
        _follow(here, client, batch_id, output)


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
    here.answer(batch, f"{batch.id}: {batch.status}; to follow it: mannequin batches watch {batch.id}")


@app.command()
def results(context: typer.Context, batch_id: BatchId, output: Folder = Path()) -> None:
    """Save the results of a batch that has ended."""
    here = session(context)
    with here.client() as client:
        path = _save(client, batch_id, output)
    here.answer({"file": str(path)}, str(path))


def _estimate(here: Session, client: Mannequin, archive: Path, asked: BatchOptions) -> None:
    with bytes_bar("uploading", archive.stat().st_size) as sent:
        found = client.batches.estimate(archive, options=asked, progress=sent)
    rows = (
        (share.images, share.provider, share.payer, usd(share.price), usd(share.cost), share.reason)
        for share in found.routes
    )
    title = (
        f"{found.photos} photos, {found.refused} refused, {found.duplicates} duplicates: "
        f"at most {found.billable_at_most} billed, {found.waiting} would wait, "
        f"{usd(found.cost)} {found.currency}"
    )
    here.answer(found, table(("images", "provider", "payer", "price", "cost", "why"), rows, title=title))
    if found.quota and not found.quota.fits:
        here.note("Your plan has no room for it: mannequin usage quotas")


@contextmanager
def _goes_on(here: Session, batch_id: str) -> Iterator[None]:
    """Ctrl-C in here stops this command, not the batch; how to come back is said last."""
    try:
        yield
    except KeyboardInterrupt:
        here.note(f"{batch_id} goes on without you; to follow it again: mannequin batches watch {batch_id}")
        raise


def _follow(here: Session, client: Mannequin, batch_id: str, output: Path | None) -> None:
    with batch_bar("rendering") as show_event:
        batch = client.batches.wait(batch_id, on_event=show_event)
    if output is not None and batch.counts.completed:
        here.note(f"saved {_save(client, batch_id, output)}")
    here.answer(batch, _summary(batch))
    if batch.status != "completed" or _lost(batch):
        raise typer.Exit(Exit.SOME_FAILED)


def _save(client: Mannequin, batch_id: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with bytes_bar("downloading", None) as came:
        return client.batches.download(batch_id, folder / f"{batch_id}.zip", came)


def _paid(image: Image) -> str:
    """Who computed it, on whose account."""
    if image.route is None:
        return ""
    return f"{image.route.provider}, {image.route.payer}" + (" (fallback)" if image.route.fallback else "")


def _lost(batch: Batch) -> int:
    return batch.counts.failed + batch.counts.refused


def _summary(batch: Batch) -> str:
    reason = f" ({batch.failure.detail})" if batch.failure else ""
    counts = batch.counts
    total = counts.total - counts.paired
    rejected = f", {counts.rejected} of them rejected" if counts.rejected else ""
    parked = f", {counts.parked} waiting for a route" if counts.parked else ""
    done = f"{counts.completed} of {total} images completed"
    return f"{batch.id}: {batch.status}, {done}{rejected}{parked}{reason}"


@contextmanager
def _as_archive(photos: Path) -> Iterator[Path]:
    """The ZIP itself, or a temporary one of a folder's files."""
    if photos.is_file():
        yield photos
        return
    from libs.client.archives import zip_folder

    with tempfile.TemporaryDirectory(prefix="mannequin-") as folder:
        with file_bar("packing") as packed:
            archive = zip_folder(photos, Path(folder) / "photos.zip", packed)
        yield archive
