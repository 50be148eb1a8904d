"""A micro-batcher: calls of many tasks for the same key are put together while an earlier one is under way.

Nothing waits for company: with nothing under way a call goes out at once, alone. Under load batches grow by
themselves, as fast as the vault answers (natural batching, like group commit in a database).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Send = Callable[[str, Sequence[Item]], Awaitable[Sequence[Result | Exception]]]
"""Sends one batch for one key; gives a result or an error for each item, in order, or fails them all."""
Asked = tuple[Item, asyncio.Future[Result]]


class MicroBatcher(Generic[Item, Result]):
    """Batches of at most `limit` items of one key, one batch a key at a time, `slots` over all keys.

    A batch is made up when its turn has come, not before, so it takes all that came meanwhile. (Two at a time
    a key were measured to be slower: half as large, and the vault's cost is by the call.)
    """

    def __init__(self, send: Send[Item, Result], slots: asyncio.Semaphore, limit: int) -> None:
        self._send = send
        self._slots = slots
        self._limit = limit
        self._waiting: dict[str, deque[Asked[Item, Result]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, key: str, item: Item) -> Result:
        """The result of one item; raises its own error, or that of its whole batch."""
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        if key in self._waiting:
            self._waiting[key].append((item, answer))
        else:
            self._waiting[key] = deque([(item, answer)])
            task = asyncio.create_task(self._serve(key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await answer

    async def close(self) -> None:
        """Let what is under way end."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, key: str) -> None:
        """Until nothing waits for the key any more."""
        while self._waiting[key]:
            async with self._slots:
                await self._send_one(key, self._next_batch(self._waiting[key]))
        del self._waiting[key]

    def _next_batch(self, waiting: deque[Asked[Item, Result]]) -> list[Asked[Item, Result]]:
        """Without those that nobody waits for any more."""
        batch: list[Asked[Item, Result]] = []
        while waiting and len(batch) < self._limit:
            item, answer = waiting.popleft()
            if not answer.done():
                batch.append((item, answer))
        return batch

    async def _send_one(self, key: str, batch: list[Asked[Item, Result]]) -> None:
        if not batch:
            return
        results: Sequence[Result | Exception]
        try:
            results = await self._send(key, [item for item, _ in batch])
        except Exception as error:  # noqa: BLE001  # handed to those who wait, each of whom raises it
            results = [error] * len(batch)
        for (_, answer), result in zip(batch, results, strict=True):
            _settle(answer, result)


def _settle(answer: asyncio.Future[Result], result: Result | Exception) -> None:
    if answer.done():
        return
    if isinstance(result, Exception):
        answer.set_exception(result)
    else:
        answer.set_result(result)
