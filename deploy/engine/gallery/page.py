"""The gallery's page: one file of HTML without scripts, beside its pictures."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from deploy.engine.gallery.panels import COLOURS, Panels, Shown

_FRAME = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gallery</title>
<style>
{style}</style>
<header>
<h1>Gallery</h1>
{head}
</header>
<main>
{articles}
</main>
</html>
"""
_VERDICTS = ("publishable", "review", "rejected", "failed")


def page(shown: Sequence[Shown], folder: Path) -> str:
    """The page of these photos; `folder` is where it will lie, as it names its pictures from there."""
    return _FRAME.format(
        style=files(__package__).joinpath("style.css").read_text(encoding="utf-8"),
        head="\n".join(_head(shown)),
        articles="\n".join(_article(one, folder) for one in shown),
    )


def _head(shown: Sequence[Shown]) -> Iterator[str]:
    counts = Counter(_verdict(one.outcome.told) for one in shown)
    models = sorted({str(one.outcome.told["model"]) for one in shown if one.outcome.rendered})
    found = [f'<span class="{verdict}">{counts[verdict]} {verdict}</span>' for verdict in _VERDICTS]
    yield f"<p>{len(shown)} photos: {', '.join(found)}. {escape(', '.join(models))}</p>"
    swatches = {"background": (90, 90, 94), **COLOURS}
    legend = (
        f'<span><i style="background: rgb{colour}"></i>{name}</span>' for name, colour in swatches.items()
    )
    yield f'<p class="legend">{"".join(legend)}</p>'


def _article(shown: Shown, folder: Path) -> str:
    told = shown.outcome.told
    parts = [f"<h2>{_text(shown.outcome.job.photo.name)}</h2>", _facts(told)]
    if shown.panels:
        figures = "\n".join(_figures(told, shown.panels, shown.outcome.job.output, folder))
        parts += [f'<div class="panels">\n{figures}\n</div>', _findings(told["findings"])]
    return "<article>\n" + "\n".join(parts) + "\n</article>"


def _facts(told: Mapping[str, Any]) -> str:
    verdict = _verdict(told)
    facts = [f'<span class="verdict {verdict}">{verdict}</span>']
    if verdict == "failed":
        facts += [f"<code>{_text(told['code'])}</code>", _text(told["detail"])]
    else:
        size = told["size"]
        facts += [f"score {told['score']:.2f}", f"{told['preserved_fraction']:.1%} the photo's own pixels"]
        facts += [f"{size['width']}×{size['height']}", f"{sum(told['timings'].values()):.0f} ms"]
    return f'<p class="facts">{" · ".join(facts)}</p>'


def _figures(told: Mapping[str, Any], panels: Panels, results: Path, folder: Path) -> Iterator[str]:
    """A panel leads to the engine's own file where there is one: that is what a shop would get."""
    full = {name: _address(results / file, folder) for name, file in told["files"].items()}
    grounds = (("on white", "white"), ("on grey", "grey"), ("on a checkerboard", "checker"))
    panel = {
        name: _address(getattr(panels, name), folder) for name in ("photo", "classes", "alpha", "result")
    }
    boxes = "".join(_boxes(told))
    yield _figure("photo", panel["photo"], panel["photo"], panels.size, inside=boxes)
    yield _figure("classes", panel["classes"], panel["classes"], panels.size)
    invented = f'alpha (<a href="{full["synthesized"]}">synthesized</a>)'
    yield _figure(invented, full["alpha"], panel["alpha"], panels.size)
    for caption, ground in grounds:
        yield _figure(caption, full["result"], panel["result"], panels.size, ground)


def _figure(
    caption: str, link: str, source: str, size: tuple[int, int], ground: str = "", inside: str = ""
) -> str:
    image = f'<img src="{source}" width="{size[0]}" height="{size[1]}" loading="lazy" alt="">'
    shown = f'<a class="{ground}" href="{link}">{image}{inside}</a>'
    return f"<figure>{shown}<figcaption>{caption}</figcaption></figure>"


def _boxes(told: Mapping[str, Any]) -> Iterator[str]:
    """Findings that are somewhere, by their number in the list, in percent of the photo."""
    width, height = told["size"]["width"], told["size"]["height"]
    for number, finding in enumerate(told["findings"], 1):
        if box := finding["box"]:
            sides = {
                "left": box["left"] / width,
                "top": box["top"] / height,
                "width": box["width"] / width,
                "height": box["height"] / height,
            }
            style = "; ".join(f"{side}: {share:.2%}" for side, share in sides.items())
            yield f'<span class="box" style="{style}"><b>{number}</b></span>'


def _findings(findings: Sequence[Mapping[str, Any]]) -> str:
    if not findings:
        return ""
    items = (f"<li><code>{_text(one['code'])}</code>{_detail(one)}</li>" for one in findings)
    return f"<ol>{''.join(items)}</ol>"


def _detail(finding: Mapping[str, Any]) -> str:
    return "" if finding["detail"] == finding["code"] else f" {_text(finding['detail'])}"


def _verdict(told: Mapping[str, Any]) -> str:
    return str(told.get("verdict", "failed"))


def _text(value: object) -> str:
    """A file's name may hold bytes that are no text."""
    return escape(str(value).encode("utf-8", "replace").decode("utf-8"))


def _address(path: Path, folder: Path) -> str:
    return quote(os.fsencode(path.relative_to(folder)))
