"""A process of its own for a picture that may kill whoever renders it.

It keeps a crash from taking others along; it is no sandbox: the parent trusts what the child sends.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any, TypeVar

from services.inference.errors import InferenceError, PictureRefused, WorkerKilled

Result = TypeVar("Result")
Answer = Callable[[Any], Any]
"""Answers what the child asks meanwhile, on a thread of the parent; what it raises ends the work."""

_link: Connection | None = None


class AnswerFailed(InferenceError):
    """What the parent was asked for failed there; the parent knows why."""


class Isolation:
    """One child process, kept while it lives and replaced when a picture has killed it.

    `prepare` (picklable) runs first in each new one. The child can ask its parent (`ask`): so it needs no
    connection of its own to anything, and no secret ever goes to it.
    """

    def __init__(self, prepare: Callable[[], None], *, timeout_s: float) -> None:
        self._prepare = prepare
        self._timeout_s = timeout_s
        self._child: _Child | None = None
        self._turn = asyncio.Lock()

    async def run(self, work: Callable[..., Result], *args: Any, answer: Answer | None = None) -> Result:
        """What `work` (picklable) gives in the child. WorkerKilled if that died, or took too long without
        waiting for an answer; otherwise raises as it does, or what `answer` raised.
        """
        async with self._turn:
            child = self._child = self._child or _Child(self._prepare)
            answers = _Answers(answer or _answer_nothing)
            try:
                running = asyncio.wrap_future(child.submit(work, *args))
                answering = asyncio.create_task(asyncio.to_thread(answers.give, child.link))
                await self._until_done(running, answers)
                # The child says that it has no more questions before it gives its result.
                await answering
                result: Result = running.result()
            except (BrokenProcessPool, TimeoutError) as error:
                await self._kill()
                raise WorkerKilled from error
            except asyncio.CancelledError:
                await self._kill()
                raise
        if isinstance(result, AnswerFailed):
            raise answers.error or result
        if isinstance(result, PictureRefused):
            raise result
        return result

    async def close(self) -> None:
        await self._kill()

    async def _until_done(self, running: asyncio.Future[Any], answers: _Answers) -> None:
        """TimeoutError where it takes too long by itself."""
        start = perf_counter()
        while not running.done():
            left = self._timeout_s + answers.seconds - (perf_counter() - start)
            if left <= 0:
                raise TimeoutError
            await asyncio.wait([running], timeout=left)

    async def _kill(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.kill()


class _Child:
    """A pool of one process, and this end of the link to it."""

    def __init__(self, prepare: Callable[[], None]) -> None:
        context = multiprocessing.get_context("spawn")
        self.link, self._its_end = context.Pipe()
        self._pool = ProcessPoolExecutor(1, context, initializer=_begin, initargs=(prepare, self._its_end))

    def submit(self, work: Callable[..., Any], *args: Any) -> Any:
        running = self._pool.submit(_work, work, *args)
        # The process has it now. Held here as well, its death would not close the link.
        self._its_end.close()
        return running

    async def kill(self) -> None:
        processes = self._pool._processes or {}  # the pool has no public way to kill its child
        for process in list(processes.values()):
            with suppress(ProcessLookupError):
                process.kill()
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)
        self._its_end.close()


class _Answers:
    """The answers to a child's questions during one piece of work."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._seconds = 0.0
        self._since: float | None = None
        self.error: Exception | None = None

    @property
    def seconds(self) -> float:
        """What they took so far, the one that is being given included."""
        since = self._since
        return self._seconds + (0.0 if since is None else perf_counter() - since)

    def give(self, link: Connection) -> None:
        """Until the child has no more of them, or is gone."""
        with suppress(EOFError, OSError):
            while (question := link.recv()) is not None:
                link.send(self._answered(question))

    def _answered(self, question: Any) -> tuple[bool, Any]:
        self._since = perf_counter()
        try:
            return True, self._answer(question)
        except Exception as error:  # noqa: BLE001  # the work ends with it
            self.error = error
            return False, None
        finally:
            self._seconds, self._since = self.seconds, None


def ask(question: Any) -> Any:
    """In the child: what the parent answers. AnswerFailed."""
    assert _link is not None
    _link.send(question)
    answered, answer = _link.recv()
    if not answered:
        raise AnswerFailed
    return answer


def _answer_nothing(question: Any) -> Any:
    raise LookupError("nothing is answered here")


def _begin(prepare: Callable[[], None], link: Connection) -> None:
    global _link
    _link = link
    prepare()


def _work(work: Callable[..., Any], *args: Any) -> Any:
    """Its result, or the error of ours that it raised, as a value: pools spoil what exceptions carry."""
    assert _link is not None
    try:
        return work(*args)
    except (PictureRefused, AnswerFailed) as error:
        return error
    finally:
        _link.send(None)
