"""Hostile and odd pictures through the whole pipeline: a render, or a refusal by name."""

from __future__ import annotations

import warnings

import pytest

from libs.common.contracts.options import RenderOptions
from services.inference.errors import PictureRefused
from services.inference.pipeline.render import render
from tests.security.guard import Guard, Work
from tests.security.outcomes import CODES
from tests.security.picture_corpus.case import Case, Shows
from tests.security.picture_corpus.corpus import corpus
from tests.unit.picture_samples import ColourSegmenter

_SMALL = 60_000
_SECONDS = 60
_MEMORY = 2 << 30
_OPTIONS = {
    "as it is": RenderOptions(),
    "cropped": RenderOptions(crop=True, margin=0.5, size=64),
    "on white": RenderOptions(background="#ffffff", size=500),
}


def _rendered(data: bytes, options: RenderOptions) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = render(data, options, ColourSegmenter()).result
        except PictureRefused as refused:
            return refused.code
    asked = options.size is None or max(result.width, result.height) == options.size
    return "render" if result.data and asked else f"{result.width}×{result.height}"


def _is_tiny(case: Case) -> bool:
    return isinstance(case.expected, Shows) and min(case.expected.width, case.expected.height) < 9


def _as_it_is(data: bytes) -> str:
    return _rendered(data, _OPTIONS["as it is"])


def _cropped(data: bytes) -> str:
    return _rendered(data, _OPTIONS["cropped"])


def _on_white(data: bytes) -> str:
    return _rendered(data, _OPTIONS["on white"])


@pytest.mark.parametrize("work", [_as_it_is, _cropped, _on_white])
def test_odd_pictures_go_through_the_whole_pipeline(work: Work) -> None:
    """One pixel, one row, one column, every colour model; in a child, for native code may end its process."""
    odd = {}
    with Guard(work, memory=_MEMORY, seconds=_SECONDS) as guard:
        for case in [*corpus()[::8], *filter(_is_tiny, corpus())]:
            data = case.make()
            report = guard.run(data) if len(data) < _SMALL else None
            if report is not None and report.outcome not in CODES | {"render"}:
                odd[case.name] = report.outcome
    assert not odd
