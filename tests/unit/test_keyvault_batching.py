"""The micro-batcher, on a stand-in for the vault that answers when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from services.keyvault.batching import MicroBatcher


class Slow:
    """Answers a batch of numbers with their doubles once it is let; a negative number is a bad item."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[int]]] = []
        self.open = asyncio.Event()
        self.most_at_once = 0
        self._now = 0

    async def send(self, key: str, items: Sequence[int]) -> Sequence[int | Exception]:
        self.batches.append((key, list(items)))
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        await self.open.wait()
        self._now -= 1
        if key == "broken":
            raise ConnectionError(key)
        return [ValueError(str(item)) if item < 0 else 2 * item for item in items]


def batcher(slow: Slow, *, limit: int = 100, slots: int = 4) -> MicroBatcher[int, int]:
    return MicroBatcher(slow.send, asyncio.Semaphore(slots), limit)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_comes_while_a_call_is_under_way_goes_out_together() -> None:
    """The first alone and at once, the rest as one batch; each gets its own answer."""
    slow = Slow()
    batches = batcher(slow)
    first = asyncio.create_task(batches.ask("a", 1))
    await settle()
    rest = [asyncio.create_task(batches.ask("a", number)) for number in range(2, 50)]
    await settle()
    slow.open.set()
    assert await asyncio.gather(first, *rest) == [2 * number for number in range(1, 50)]
    assert [len(items) for _, items in slow.batches] == [1, 48]


async def test_a_batch_holds_no_more_than_its_limit() -> None:
    """The others come in the next."""
    slow = Slow()
    slow.open.set()
    batches = batcher(slow, limit=10)
    answers = await asyncio.gather(*(batches.ask("a", number) for number in range(25)))
    assert answers == [2 * number for number in range(25)]
    assert [len(items) for _, items in slow.batches] == [10, 10, 5]


async def test_keys_are_never_mixed_and_share_the_slots() -> None:
    """A batch is of one key; no more calls at a time than there are slots."""
    slow = Slow()
    batches = batcher(slow, slots=2)
    asked = [asyncio.create_task(batches.ask(f"key {number % 5}", number)) for number in range(20)]
    await settle()
    slow.open.set()
    await asyncio.gather(*asked)
    assert all({number % 5 for number in items} == {int(key[-1])} for key, items in slow.batches)
    assert slow.most_at_once == 2


async def test_a_bad_item_fails_alone() -> None:
    """Its neighbours in the batch have their answers."""
    slow = Slow()
    slow.open.set()
    batches = batcher(slow)
    answers = await asyncio.gather(*(batches.ask("a", n) for n in (1, -2, 3)), return_exceptions=True)
    assert (answers[0], answers[2]) == (2, 6)
    assert isinstance(answers[1], ValueError)


async def test_a_call_that_fails_fails_all_of_its_batch_and_no_later_one() -> None:
    """Of its own key; the line goes on."""
    slow = Slow()
    slow.open.set()
    batches = batcher(slow)
    answers = await asyncio.gather(
        *(batches.ask("broken", n) for n in range(3)), batches.ask("a", 1), return_exceptions=True
    )
    assert [type(one) for one in answers[:3]] == [ConnectionError] * 3
    assert answers[3] == 2
    with pytest.raises(ConnectionError):
        await batches.ask("broken", 4)


async def test_what_nobody_waits_for_any_more_is_not_sent() -> None:
    """A caller that gave up while it stood in line costs nothing."""
    slow = Slow()
    batches = batcher(slow)
    first = asyncio.create_task(batches.ask("a", 1))
    await settle()
    given_up, patient = (asyncio.create_task(batches.ask("a", number)) for number in (2, 3))
    await settle()
    given_up.cancel()
    slow.open.set()
    assert list(await asyncio.gather(first, patient)) == [2, 6]
    assert [items for _, items in slow.batches] == [[1], [3]]
