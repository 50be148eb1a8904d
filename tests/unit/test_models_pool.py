"""Open models stay within their budget, and one is exchanged for another without a render that fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from services.inference.errors import ModelRefused
from services.inference.models.batching import LoadedSegmenter
from services.inference.models.pool import Sessions
from services.inference.models.providers import Tuning
from services.inference.models.registry import Registry
from services.inference.models.rollout import Rollout
from services.inference.models.source import OnnxSource
from services.inference.pipeline.segment import GARMENT, Hint
from tests.unit.test_models_registry import publish
from tests.unit.tiny_onnx import tiny_model

LIMIT_S = 20.0
RED = np.full((1, 64, 48, 3), (220, 20, 20), np.uint8)
PLENTY = 2**40


class Counted:
    """A source of models on ONNX Runtime that counts what it opens, and holds it up at a gate."""

    def __init__(self, *folders: Path) -> None:
        self._source = OnnxSource(Registry(*folders), "cpu", tuning=Tuning(max_batch=2))
        self.opened: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def fingerprint(self, reference: str) -> str:
        return self._source.fingerprint(reference)

    def open(self, reference: str) -> LoadedSegmenter:
        self.opened.append(reference)
        assert self.gate.wait(LIMIT_S)
        return self._source.open(reference)


def models(folder: Path, *names: str) -> Counted:
    for name in names:
        publish(folder, tiny_model(), home=name, name=name)
    return Counted(folder)


def size_of(source: Counted, reference: str) -> int:
    return source.open(reference).size_bytes


def until(holds: Callable[[], bool]) -> None:
    """Poll a condition, with a limit."""
    end = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < end
        threading.Event().wait(0.001)


def use(sessions: Sessions, reference: str) -> str:
    """Render something with it; the name that the result would have."""
    with sessions.lease(reference) as segmenter:
        assert segmenter.maps(RED, [Hint.AUTO])[0, GARMENT].min() > 0.9
        return segmenter.name


def test_a_model_is_opened_once_and_stays_warm(tmp_path: Path) -> None:
    """However many ask for it at the same time."""
    source = models(tmp_path, "one")
    sessions = Sessions(source, PLENTY)
    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(use, [sessions] * 24, ["one"] * 24)) == {"one@1.0.0"}
    assert source.opened == ["one"]


def test_the_least_recently_used_model_goes_when_memory_is_short(tmp_path: Path) -> None:
    """And is opened again when it is asked for again."""
    source = models(tmp_path, "one", "two", "three")
    sessions = Sessions(source, 2 * size_of(source, "one"))
    for name in ("one", "two", "one", "three"):
        use(sessions, name)
    assert sessions.open_models == ("one@1.0.0", "three@1.0.0")
    use(sessions, "two")
    assert sessions.open_models == ("three@1.0.0", "two@1.0.0")


def test_what_is_in_use_is_not_closed(tmp_path: Path) -> None:
    """Also when that takes more than the budget for as long; then it goes."""
    source = models(tmp_path, "one", "two")
    sessions = Sessions(source, size_of(source, "one"))
    with sessions.lease("one") as segmenter:
        use(sessions, "two")
        assert list(sessions.open_models) == ["one@1.0.0", "two@1.0.0"]
        assert segmenter.maps(RED, [Hint.AUTO])[0, GARMENT].min() > 0.9
    assert list(sessions.open_models) == ["two@1.0.0"]


def test_a_model_over_the_whole_budget_still_serves(tmp_path: Path) -> None:
    """The one used last stays: to open it for each picture would help nobody."""
    source = models(tmp_path, "one")
    sessions = Sessions(source, 1)
    assert [use(sessions, "one") for _ in range(3)] == ["one@1.0.0"] * 3
    assert source.opened == ["one"]


def test_nothing_is_exchanged_while_nothing_changes(tmp_path: Path) -> None:
    """A look at the folder opens no model."""
    source = models(tmp_path, "one")
    sessions = Sessions(source, PLENTY)
    use(sessions, "one")
    assert sessions.refresh() == ()
    assert source.opened == ["one"]


def test_the_old_version_serves_until_the_new_one_is_warm(tmp_path: Path) -> None:
    """And to the end of what has begun with it."""
    source = models(tmp_path, "one")
    sessions = Sessions(source, PLENTY)
    with sessions.lease("one") as begun:
        publish(tmp_path, tiny_model(), home="one", name="one", version="2.0.0")
        source.gate.clear()
        with ThreadPoolExecutor(1) as pool:
            refreshed = pool.submit(sessions.refresh)
            until(lambda: source.opened == ["one", "one"])
            assert use(sessions, "one") == "one@1.0.0"
            source.gate.set()
            assert refreshed.result(LIMIT_S) == ("one@2.0.0",)
        assert use(sessions, "one") == "one@2.0.0"
        assert begun.name == "one@1.0.0"
        assert begun.maps(RED, [Hint.AUTO])[0, GARMENT].min() > 0.9


def test_a_bad_new_version_never_serves(tmp_path: Path) -> None:
    """The old one goes on; a good one that comes later is taken."""
    sessions = Sessions(models(tmp_path, "one"), PLENTY)
    use(sessions, "one")
    publish(tmp_path, tiny_model(softmax=False), home="one", name="one", version="2.0.0")
    with pytest.raises(ModelRefused, match="add up to 1"):
        sessions.refresh()
    assert use(sessions, "one") == "one@1.0.0"
    publish(tmp_path, tiny_model(), home="one", name="one", version="2.0.1")
    assert sessions.refresh() == ("one@2.0.1",)


def test_a_bad_model_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """It is reported when they are done."""
    sessions = Sessions(models(tmp_path, "a-bad", "good"), PLENTY)
    use(sessions, "a-bad")
    use(sessions, "good")
    publish(tmp_path, b"no model", home="a-bad", name="a-bad")
    publish(tmp_path, tiny_model(), home="good", name="good", version="2.0.0")
    with pytest.raises(ModelRefused, match="a-bad"):
        sessions.refresh()
    assert use(sessions, "good") == "good@2.0.0"


def test_no_picture_is_dropped_while_models_are_exchanged(tmp_path: Path) -> None:
    """Threads render without a pause through three exchanges; versions only ever go up."""
    sessions = Sessions(models(tmp_path, "one"), PLENTY)
    stop = threading.Event()

    def render() -> list[str]:
        names = []
        while not stop.is_set():
            names.append(use(sessions, "one"))
        return names

    use(sessions, "one")
    with ThreadPoolExecutor(4) as pool:
        histories = [pool.submit(render) for _ in range(4)]
        try:
            for version in ("2.0.0", "3.0.0", "4.0.0"):
                publish(tmp_path, tiny_model(), home="one", name="one", version=version)
                assert sessions.refresh() == (f"one@{version}",)
        finally:
            stop.set()
        seen = [history.result(LIMIT_S) for history in histories]
    assert all(history == sorted(history) for history in seen)
    assert use(sessions, "one") == "one@4.0.0"


def test_a_model_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """And may be there at the next call."""
    sessions = Sessions(models(tmp_path, "one"), PLENTY)
    with pytest.raises(ModelRefused, match="no model two"):
        use(sessions, "two")
    models(tmp_path, "two")
    assert use(sessions, "two") == "two@1.0.0"


def test_a_canary_gets_its_share() -> None:
    """By the photo's content: the same one always to the same model."""
    rollout = Rollout("one", "two", 0.2)
    photos = [number.to_bytes(4, "big") for number in range(2000)]
    chosen = [rollout.model_for(photo) for photo in photos]
    assert chosen == [rollout.model_for(photo) for photo in photos]
    assert chosen.count("two") / len(chosen) == pytest.approx(0.2, abs=0.03)
    assert rollout.references == ("one", "two")


@pytest.mark.parametrize("rollout", [Rollout("one"), Rollout("one", "two", 0)])
def test_without_a_share_there_is_no_canary(rollout: Rollout) -> None:
    """Nor is its model opened."""
    assert rollout.references == ("one",)
    assert {rollout.model_for(bytes([byte])) for byte in range(50)} == {"one"}


def test_a_wider_share_keeps_those_who_had_it() -> None:
    """Nobody goes back and forth while a roll-out grows."""
    photos = [number.to_bytes(4, "big") for number in range(500)]
    few, more = Rollout("one", "two", 0.1), Rollout("one", "two", 0.5)
    assert all(more.model_for(photo) == "two" for photo in photos if few.model_for(photo) == "two")


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_share_is_a_share(share: float) -> None:
    """0 to 1."""
    with pytest.raises(ModelRefused, match="canary"):
        Rollout("one", "two", share)
