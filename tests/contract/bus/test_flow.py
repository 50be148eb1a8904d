"""A service does only what the flow gives it."""

from __future__ import annotations

import pytest

from libs.common.bus.bus import Bus
from libs.common.bus.errors import NotInFlow
from tests.contract.bus.conftest import Broker
from tests.contract.bus.messages import MUTE, WORK, Add, Blink, DoWork
from tests.contract.bus.test_delivery import envelope
from tests.contract.bus.test_requests import add
from tests.contract.bus.waiting import Seen


@pytest.fixture
async def mute(broker: Broker) -> Bus:
    """A service that may do nothing."""
    return await broker.join(MUTE)


async def test_what_is_not_in_the_flow_is_refused_by_name(mute: Bus) -> None:
    """Every verb says who may not do what."""
    with pytest.raises(NotInFlow, match=r"mute may not publish contract\.do_work\.v1"):
        await mute.publish([envelope(DoWork())])
    with pytest.raises(NotInFlow, match=r"mute may not subscribe to contract\.work"):
        await mute.subscribe(WORK, Seen())
    with pytest.raises(NotInFlow, match=r"mute may not request contract\.add\.v1"):
        await mute.request(Add(left=1, right=1))
    with pytest.raises(NotInFlow, match=r"mute may not respond to contract\.add\.v1"):
        await mute.respond(Add, add)
    with pytest.raises(NotInFlow, match=r"mute may not signal contract\.blink\.v1"):
        await mute.signal(Blink())
    with pytest.raises(NotInFlow, match=r"mute may not listen to contract\.blink\.v1"):
        await mute.listen(Blink, Seen())
