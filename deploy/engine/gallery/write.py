"""Renders the photos of a gallery and writes its page and its contact sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.engine.gallery.page import page
from deploy.engine.gallery.panels import Shown, draw_panels
from deploy.engine.gallery.sheet import write_sheet
from deploy.engine.photos import Names
from deploy.engine.work import Job, Outcome, do
from libs.common.contracts.options import RenderOptions
from libs.common.spread import spread
from services.inference.renderer import Renderer

PAGE, SHEET, PANELS, RESULTS = "index.html", "contact-sheet.png", "panels", "results"
_OPTIONS = RenderOptions(artefacts=True)


@dataclass(frozen=True, slots=True)
class Gallery:
    """What was written: the page, the sheet, and how many photos are on them or failed."""

    page: Path
    sheet: Path
    photos: int
    failed: int


def write_gallery(
    photos: Sequence[Path], output: Path, renderer: Renderer, jobs: int, done: Callable[[], None]
) -> Gallery:
    """A gallery in `output`, with the engine's own files below `results/`; calls `done` after each photo."""
    results, panels = output / RESULTS, output / PANELS
    for folder in (results, panels):
        folder.mkdir(parents=True, exist_ok=True)
    named = Names(results, _OPTIONS).of(photos)
    work = [Job(photo.path, photo.name, results, _OPTIONS) for photo in named]
    shown: dict[str, Shown] = {}
    for one in spread(lambda job: _shown(do(job, renderer), panels), work, jobs):
        shown[one.outcome.job.name] = one
        done()
    return _written([shown[job.name] for job in work], output)


def _shown(outcome: Outcome, folder: Path) -> Shown:
    return Shown(outcome, draw_panels(outcome, folder) if outcome.rendered else None)


def _written(shown: Sequence[Shown], output: Path) -> Gallery:
    path, sheet = output / PAGE, output / SHEET
    path.write_text(page(shown, output), encoding="utf-8", errors="xmlcharrefreplace")
    write_sheet(shown, sheet)
    failed = sum(one.panels is None for one in shown)
    return Gallery(path, sheet, len(shown), failed)
