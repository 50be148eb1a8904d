"""An archive that is larger than the plan takes breaks off while it is uploaded, with 402."""

from __future__ import annotations

from dataclasses import replace

import pytest

from libs.common.contracts.quotas import QuotaName
from libs.common.errors import NotBought
from services.gateway.errors import TooLarge
from services.gateway.uploads import BLOCK, receive
from tests.unit.test_gateway_uploads import END, FORM_TYPE, ZIP, Store, part, request

PLANNED = replace(ZIP, limit=10 * BLOCK, allowed=2 * BLOCK)


@pytest.mark.parametrize("spare", [0, 1])
async def test_the_plan_is_held_to_the_byte(spare: int) -> None:
    """At the limit is within it."""
    store, body = Store(), b"P" * (2 * BLOCK + spare)
    coming = receive(request("application/zip", body), PLANNED, store, lambda _: None)
    if not spare:
        assert (await coming).size == 2 * BLOCK
        return
    with pytest.raises(NotBought) as refused:
        await coming
    assert refused.value.code == "quota_exceeded"
    hit = refused.value.quota
    assert hit is not None
    assert (hit.what, hit.limit, hit.resets_at) == (QuotaName.ARCHIVE_BYTES, 2 * BLOCK, None)


async def test_no_more_is_read_than_it_takes_to_know() -> None:
    """A stream without end, and without a length."""
    store, chunks = Store(), [b"P" * BLOCK] * 9
    asked = request("application/zip", *chunks, gone=True)
    with pytest.raises(NotBought):
        await receive(asked, PLANNED, store, lambda _: None)
    assert len(store.content) <= 2 * BLOCK


async def test_a_length_that_says_so_is_refused_before_a_byte() -> None:
    """With what would be needed."""
    store = Store()
    asked = request("application/zip", b"P", length=str(5 * BLOCK))
    with pytest.raises(NotBought) as refused:
        await receive(asked, PLANNED, store, lambda _: None)
    assert refused.value.quota is not None
    assert (refused.value.quota.needed, store.content) == (5 * BLOCK, b"")


async def test_the_platform_has_its_own_limit() -> None:
    """Which is no question of the plan."""
    with pytest.raises(TooLarge):
        await receive(
            request("application/zip", b"P", length=str(11 * BLOCK)), PLANNED, Store(), lambda _: None
        )


async def test_the_file_of_a_form_is_held_to_it_as_well() -> None:
    """And not what stands around it."""
    fits = part('name="file"; filename="a.zip"', b"P" * (2 * BLOCK)) + END
    assert (
        await receive(request(FORM_TYPE, fits, length=str(len(fits))), PLANNED, Store(), lambda _: None)
    ).size == 2 * BLOCK
    larger = part('name="file"; filename="a.zip"', b"P" * (2 * BLOCK + 1)) + END
    with pytest.raises(NotBought):
        await receive(request(FORM_TYPE, larger), PLANNED, Store(), lambda _: None)
