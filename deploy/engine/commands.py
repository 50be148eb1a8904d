"""`mannequin engine render` and `mannequin engine gallery`: the pipeline on this machine, without a server.

The pipeline is imported by the commands that need it: help costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.engine.flags import with_render_options
from deploy.engine.photos import Names, find_photos
from deploy.engine.work import Job, Outcome, as_json, do
from libs.client.cli.bars import count_bar
from libs.client.cli.session import Exit, Session, session, table
from libs.common.contracts.options import RenderOptions
from libs.common.spread import spread

if TYPE_CHECKING:
    from rich.table import Table

    from services.inference.renderer import Renderer

engine = typer.Typer(help="The engine on this machine, without a server.", no_args_is_help=True)
Photos = Annotated[
    list[Path],
    typer.Argument(metavar="PHOTO", exists=True, help="Photos, or folders of them.", show_default=False),
]
Model = Annotated[str, typer.Option(help="The model: a name, or the path of a model's folder.")]
Precision = Annotated[str, typer.Option(help="Of its weights: auto, fp32, fp16 or int8.")]
Provider = Annotated[str, typer.Option(help="Where it runs: auto, cpu, cuda or tensorrt.")]
Jobs = Annotated[int, typer.Option("-j", "--jobs", min=0, max=256, help="Photos at a time; 0 is one a core.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to the command line."""
    app.add_typer(engine, name="engine")


@engine.command()
@with_render_options
def render(
    context: typer.Context,
    photos: Photos,
    output: Annotated[
        Path, typer.Option("-o", "--output", file_okay=False, help="The folder that takes the results.")
    ],
    options: RenderOptions,
    inside: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The garment's turned-out back; for one photo."),
    ] = None,
    model: Model = "mannequin",
    precision: Precision = "auto",
    provider: Provider = "auto",
    jobs: Jobs = 0,
) -> None:
    """Render photos into a folder, with a verdict for each as `<name>.verdict.json`.

    --artefacts adds masks at the photo's size: `<name>.alpha.png` (the visible garment), `<name>.classes.png`
    (0 background, 1 garment, 2 body, 3 other) and `<name>.synthesized.png` (255: not the photo's own pixel).

    A photo that fails is named and the others go on. Two photos of one name become `coat` and `coat-2`.
    """
    here = session(context)
    found = _found(photos)
    if inside and len(found) != 1:
        raise typer.BadParameter("--inside is the back of one garment: give one photo with it")
    renderer = _renderer(here, model, precision, provider)
    outcomes = list(_done(here, _jobs(found, output, options, inside), renderer, jobs))
    if not here.json:
        here.answer(None, _table(outcomes))
    if not all(outcome.rendered for outcome in outcomes):
        raise typer.Exit(Exit.SOME_FAILED)


@engine.command()
def gallery(
    context: typer.Context,
    photos: Photos,
    output: Annotated[
        Path, typer.Option("-o", "--output", file_okay=False, help="The folder that takes the page.")
    ] = Path("out/gallery"),
    model: Model = "mannequin",
    precision: Precision = "auto",
    provider: Provider = "auto",
    jobs: Jobs = 0,
) -> None:
    """Show what the engine makes of photos: a page (index.html) and a contact sheet (contact-sheet.png).

    For each photo: input with findings, classes, alpha, and the result on white, grey and a checkerboard.
    """
    from deploy.engine.gallery.write import write_gallery

    here = session(context)
    found = _found(photos)
    renderer = _renderer(here, model, precision, provider)
    with count_bar("rendering", len(found)) as done:
        written = write_gallery(found, output, renderer, jobs, done)
    here.answer(written, f"{written.page}\n{written.sheet}")
    if written.failed:
        raise typer.Exit(Exit.SOME_FAILED)


def _found(photos: Sequence[Path]) -> list[Path]:
    found = find_photos(photos)
    if not found:
        raise typer.BadParameter(f"there are no photos in {', '.join(str(place) for place in photos)}")
    return found


def _jobs(photos: Sequence[Path], output: Path, options: RenderOptions, inside: Path | None) -> list[Job]:
    output.mkdir(parents=True, exist_ok=True)
    named = Names(output, options).of(photos)
    return [Job(photo.path, photo.name, output, options, inside) for photo in named]


def _renderer(here: Session, model: str, precision: str, provider: str) -> Renderer:
    """A model that can't be used ends the program: what is said tells how to go on."""
    from services.inference.errors import ModelRefused
    from services.inference.renderer import OnnxRendererFactory

    path = Path(model)
    folder = path.parent if len(path.parts) > 1 else None
    try:
        return OnnxRendererFactory(provider, path.name, precision, folder=folder)()
    except (ModelRefused, ValueError) as refused:
        raise here.fail(str(refused), Exit.USAGE) from None


def _done(here: Session, work: Sequence[Job], renderer: Renderer, jobs: int) -> Iterator[Outcome]:
    """Each photo as it ends; as a line of JSON at once, if that was asked for."""
    with count_bar("rendering", len(work)) as done:
        for outcome in spread(lambda job: do(job, renderer), work, jobs):
            if here.json:
                typer.echo(as_json(outcome.told))
            done()
            yield outcome


def _table(outcomes: Sequence[Outcome]) -> Table:
    """By file, whatever order they ended in."""
    columns = ("file", "verdict", "score", "own pixels", "ms", "reason")
    return table(columns, sorted(_row(outcome) for outcome in outcomes))


def _row(outcome: Outcome) -> tuple[str, ...]:
    told, job = outcome.told, outcome.job
    shown = job.photo.name if job.photo.stem == job.name else f"{job.photo} as {job.name}"
    name = shown.encode("utf-8", "replace").decode()
    if not outcome.rendered:
        return name, "failed", "", "", "", f"{told['code']}: {told['detail']}"
    reasons = ", ".join(finding["code"] for finding in told["findings"])
    shares = f"{told['score']:.3f}", f"{told['preserved_fraction']:.1%}"
    return name, told["verdict"], *shares, f"{sum(told['timings'].values()):.0f}", reasons
