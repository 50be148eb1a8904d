"""What is told of an evaluation: tables for a terminal, JSON and CSV for programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from training.evaluation.scores import PARTS, Scores, summary, worst

_MASKS = {
    "iou": "IoU",
    "worst_decile": "worst\n10 %",
    "good": "IoU\n≥0.9",
    "f_0.1": "F\n0.1 %",
    "f_0.3": "F\n0.3 %",
    "f_1": "F\n1 %",
    "leak": "skin\nleak",
    "loss": "loss",
}
_MATTES = {
    "iou_body": "IoU\nbody",
    "iou_other": "IoU\nother",
    "sad": "SAD",
    "mse": "MSE",
    "gradient": "gra-\ndient",
    "connectivity": "con-\nnect.",
    "identical": "bits\nkept",
    "again": "IoU\nagain",
    "own": "own\npx",
}


def document(name: str, model: str, scores: Sequence[Scores]) -> dict[str, Any]:
    """Everything about one set of photos."""
    return {
        "set": name,
        "model": model,
        "photos": len(scores),
        "summary": _rounded(summary(scores)),
        "worst": [{"name": one.name, "iou": round(one.iou, 4)} for one in worst(scores)],
        "scores": [{"name": one.name, "hint": one.hint, **_rounded(one.parts)} for one in scores],
    }


def tables(documents: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
    """Masks, then mattes and the result's promises, then the photos to look at."""
    yield _table("Garment", _MASKS, documents)
    yield _table("Other classes; the matte in its unknown band; the result's promises", _MATTES, documents)
    for one in documents:
        shown = ", ".join(f"{photo['name']} {photo['iou']:.3f}" for photo in one["worst"])
        yield Text.assemble((f"worst of {one['set']}: ", "bold"), shown)


def write(one: Mapping[str, Any], folder: Path) -> None:
    """`<set>.json` with everything, and `<set>.csv` with a line a photo."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = str(one["set"]).replace(" ", "-")
    (folder / f"{stem}.json").write_text(json.dumps(one, indent=1) + "\n", encoding="utf-8")
    rows = [_row(scores) for scores in one["scores"]]
    with (folder / f"{stem}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)


def _row(scores: Mapping[str, Any]) -> dict[str, Any]:
    row = {"name": scores["name"], "hint": scores["hint"]}
    return row | {f"{part}_{name}": value for part in PARTS for name, value in scores.get(part, {}).items()}


def _table(title: str, columns: Mapping[str, str], documents: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        (one["set"], str(one["photos"]), part, figures)
        for one in documents
        for part, figures in one["summary"].items()
        if figures.keys() & columns.keys()
    ]
    shown = [name for name in columns if any(name in figures for *_, figures in rows)]
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("set", "part", "n", *(columns[name] for name in shown)):
        table.add_column(heading, justify="left" if heading in ("set", "part") else "right", no_wrap=True)
    for name, photos, part, figures in rows:
        table.add_row(name, part, photos, *(_figure(figures.get(key)) for key in shown))
    return table


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}"


def _rounded(parts: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    return {part: {name: round(value, 5) for name, value in one.items()} for part, one in parts.items()}
