"""Places of the worker: bounded, and the urgent ones first."""

import asyncio

from services.inference.places import Places, SharedPlaces


async def test_an_urgent_image_takes_the_next_free_place() -> None:
    """It overtakes everything of a batch that waits, however long."""
    places, order, hold = Places(1), list[str](), asyncio.Event()

    async def work(name: str, *, urgent: bool) -> None:
        async with places.one(urgent=urgent):
            order.append(name)
            await hold.wait()

    tasks = [asyncio.create_task(work("running", urgent=False))]
    tasks += [asyncio.create_task(work(f"batch {n}", urgent=False)) for n in range(3)]
    tasks.append(asyncio.create_task(work("single", urgent=True)))
    await asyncio.sleep(0)  # every task has run to its first wait
    hold.set()
    await asyncio.gather(*tasks)

    assert order == ["running", "single", "batch 0", "batch 1", "batch 2"]


async def test_a_cancelled_waiter_leaves_no_place_taken() -> None:
    """Also when it was cancelled in the moment in which it got its turn."""
    places = Places(1)
    async with places.one(urgent=False):
        waiter = asyncio.create_task(places.one(urgent=False).__aenter__())
        await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.wait([waiter])

    async with asyncio.timeout(1), places.one(urgent=True):
        pass


async def test_a_slow_account_leaves_places_to_the_others() -> None:
    """Three of four places may be one's; the next one's images need not wait for them."""
    shared, places, hold = SharedPlaces(4), Places(4), asyncio.Event()
    begun: list[str] = []

    async def work(account: str) -> None:
        async with shared.one(account, urgent=False), places.one(urgent=False):
            begun.append(account)
            await hold.wait()

    tasks = [asyncio.create_task(work("slow")) for _ in range(6)]
    tasks.append(asyncio.create_task(work("quick")))
    await asyncio.sleep(0)  # every task has run to its first wait
    assert begun == ["slow", "slow", "slow", "quick"]
    hold.set()
    await asyncio.gather(*tasks)
    assert begun.count("slow") == 6


async def test_an_account_that_is_done_leaves_nothing_behind() -> None:
    """A worker serves thousands of them in its life."""
    shared = SharedPlaces(4)
    for number in range(3):
        async with shared.one(f"account {number}", urgent=False):
            pass
    assert (len(shared._of), len(shared._guests)) == (0, 0)
