"""Every file of the corpus comes out as its manifest says."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from services.inference.errors import RefusalCode
from services.inference.pipeline.limits import DECODE_MEMORY
from tests.security.fuzz_pictures import SECONDS
from tests.security.guard import Guard, Report
from tests.security.picture_corpus.case import Case
from tests.security.picture_corpus.corpus import PARTS, corpus, part
from tests.security.picture_corpus.judge import complaint, described

_MEBIBYTE = 1 << 20
_BOMB = 64 * _MEBIBYTE
"""What a bomb may cost: its own bytes, which the largest has 50 million of."""
_ADVICE = ("send", "upload", "export", "shrink", "save")


@pytest.mark.parametrize("name", PARTS)
def test_a_hostile_picture_is_decoded_or_refused_as_its_manifest_says(name: str) -> None:
    """Its size, colours and alpha, or the reason by name; no crash, no hang, within the memory promised."""
    with Guard(described, memory=DECODE_MEMORY, seconds=SECONDS) as guard:
        complaints = [
            f"{case.name}: {wrong}; expected {case.expected}"
            for case in part(name)
            for wrong in _complaints(case, guard.run(case.make()))
        ]
    assert not complaints, "\n".join(complaints)


def test_names_are_given_once() -> None:
    """Else a complaint would name the wrong file."""
    assert len({case.name for case in corpus()}) == len(corpus())


def _complaints(case: Case, report: Report) -> Iterator[str]:
    allowed = _BOMB if case.expected is RefusalCode.TOO_MANY_PIXELS else DECODE_MEMORY
    if report.growth > allowed:
        yield f"took {report.growth // _MEBIBYTE} MiB"
    if not report.outcome.startswith("{"):
        yield report.outcome
        return
    found = json.loads(report.outcome)
    if wrong := complaint(found, case.expected):
        yield wrong
    if "detail" in found and not any(verb in found["detail"] for verb in _ADVICE):
        yield f"'{found['detail']}' does not say what to do"
