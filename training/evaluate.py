"""`make eval`: what the built-in model and the pipeline behind it are worth, on photos it never saw.

Sets: drawn photos (with a true alpha), real product photos with masks of the garment, and the street photos
that were kept from training. Of each the network alone, the finished matte, and what the result promises.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from libs.common.spread import spread
from services.inference.models.registry import DEFAULT_MODEL, MODELS, load_model
from services.inference.models.sessions import open_session
from services.inference.pipeline.render import use_one_core_a_render
from services.inference.pipeline.segment import Segmenter
from training.evaluation.labelled import Labelled, drawn_photos, real_photos, street_photos
from training.evaluation.report import document, tables, write
from training.evaluation.scores import Scores, score


def main() -> None:
    given = _arguments().parse_args()
    use_one_core_a_render()
    segmenter = open_session(load_model(given.model, given.models), given.provider)
    documents = []
    for name, photos in _sets(given):
        scores = _scored(name, photos, segmenter, given)
        if scores:
            documents.append(document(name, segmenter.name, scores))
            write(documents[-1], given.out)
    if given.json:
        print(json.dumps({one["set"]: _brief(one) for one in documents}, indent=1))
        return
    console = Console()
    for shown in tables(documents):
        console.print(shown)
    console.print(f"each photo's scores: {given.out}")


def _arguments() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="make eval", description=__doc__)
    add = arguments.add_argument
    add("--photos", type=Path, help="folder of real photos with a manifest.json that names their masks")
    add("--street", type=Path, help="folder of the street photos; those kept from training are used")
    add("--synthetic", type=int, default=100, help="number of drawn photos")
    add("--model", default=DEFAULT_MODEL, help="the model, by its name")
    add("--models", type=Path, default=MODELS, help="the folder of models that it is in")
    add("--provider", default="cpu", help="where it runs: auto, cpu, cuda or tensorrt")
    add("--jobs", type=int, default=0, help="photos at a time; 0 is one a core")
    add("--quick", action="store_true", help="leave the result's promises out, which take two renders")
    add("--out", type=Path, default=Path("out/eval"), help="folder for each photo's scores")
    add("--json", action="store_true", help="tell it in JSON")
    return arguments


def _sets(given: argparse.Namespace) -> Iterator[tuple[str, Iterable[Labelled]]]:
    if given.synthetic:
        yield "drawn", drawn_photos(given.synthetic)
    if given.photos:
        yield "real", real_photos(given.photos)
    if given.street:
        yield "street", street_photos(given.street)
        yield "street others", street_photos(given.street, largest=False)


def _scored(
    name: str, photos: Iterable[Labelled], segmenter: Segmenter, given: argparse.Namespace
) -> list[Scores]:
    """Of each photo, by name; with a bar on a terminal, whose length is not known beforehand."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:13}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        task = bars.add_task(name, total=given.synthetic if name == "drawn" else None)
        scores = []
        for one in spread(lambda photo: score(photo, segmenter, checks=not given.quick), photos, given.jobs):
            scores.append(one)
            bars.advance(task)
        bars.update(task, total=len(scores))
    return sorted(scores, key=lambda one: one.name)


def _brief(one: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name != "scores"}


if __name__ == "__main__":
    main()
