"""Work in a child process that asks its parent: results, errors, time limits and deaths."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.inference.errors import PictureRefused, WorkerKilled
from services.inference.isolation import Isolation, ask

LIMIT_S = 1.0


def nothing() -> None: ...


def asking(*questions: Any) -> list[Any]:
    return [ask(question) for question in questions]


def refusing() -> None:
    raise PictureRefused("corrupt", "It is damaged.")


def failing() -> None:
    raise ValueError("a mistake of ours")


def dying() -> None:
    os._exit(139)


def hanging() -> None:
    threading.Event().wait()


@pytest.fixture
async def isolation() -> AsyncIterator[Isolation]:
    isolation = Isolation(nothing, timeout_s=LIMIT_S)
    yield isolation
    await isolation.close()
    await isolation.close()


async def warm(isolation: Isolation) -> None:
    """Starting a process takes longer than the time that its work has here."""
    patient = Isolation(nothing, timeout_s=60)
    await patient.run(asking)
    isolation._child, patient._child = patient._child, None


async def test_what_the_child_asks_is_answered_here(isolation: Isolation) -> None:
    """Work after work, each with answers of its own."""
    await warm(isolation)
    assert await isolation.run(asking, 1, 2, answer=lambda number: 2 * number) == [2, 4]
    assert await isolation.run(asking, 1, 2, answer=lambda number: 3 * number) == [3, 6]


async def test_what_an_answer_raises_ends_the_work(isolation: Isolation) -> None:
    """As it is, though it might not survive a pipe; the next work goes on in the same process."""
    await warm(isolation)
    trouble = KeyError("here", lambda: None)

    def answer(question: object) -> None:
        raise trouble

    with pytest.raises(KeyError) as raised:
        await isolation.run(asking, "anything", answer=answer)
    assert raised.value is trouble
    assert await isolation.run(os.getpid) == await isolation.run(os.getpid)


@pytest.mark.parametrize(("work", "error"), [(refusing, PictureRefused), (failing, ValueError)])
async def test_errors_of_the_work_are_raised_here(
    isolation: Isolation, work: Any, error: type[Exception]
) -> None:
    """They harm nobody else."""
    await warm(isolation)
    with pytest.raises(error):
        await isolation.run(work)
    assert await isolation.run(asking, 1, answer=lambda number: number) == [1]


@pytest.mark.parametrize("work", [dying, hanging])
async def test_who_kills_its_process_or_hangs_is_found(isolation: Isolation, work: Any) -> None:
    """The next work has a new process."""
    await warm(isolation)
    with pytest.raises(WorkerKilled):
        await isolation.run(work)
    await warm(isolation)
    assert await isolation.run(asking) == []


async def test_waiting_for_an_answer_costs_no_time_of_its_own(isolation: Isolation) -> None:
    """A provider may be slow; that speaks against no picture."""
    await warm(isolation)

    def slow(question: float) -> float:
        threading.Event().wait(question)
        return question

    assert await isolation.run(asking, 1.2 * LIMIT_S, answer=slow) == [1.2 * LIMIT_S]
