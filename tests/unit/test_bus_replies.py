"""How replies and refusals travel."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, SecretStr

from libs.common.bus import replies
from libs.common.bus.packet import Packet
from libs.common.contracts.message import Secret
from libs.common.errors import Conflict, Refusal, Unavailable


class Gone(Conflict):
    """Known to nobody else."""

    status = 410
    default_code = "gone"


class Answer(BaseModel):
    value: int
    secret: Secret = SecretStr("")
    text: str = ""


def test_a_reply_survives_the_trip() -> None:
    """With its secret, which only JSON shows."""
    answer = Answer(value=3, secret=SecretStr("s"))
    assert replies.read(replies.replied(answer), Answer) == answer


def test_a_refusal_comes_back_as_the_nearest_class_that_is_known() -> None:
    """With its own code, words and field."""
    with pytest.raises(Conflict) as caught:
        replies.read(replies.refused(Gone("over", field="/id")), Answer)
    assert type(caught.value) is Conflict
    assert (caught.value.code, caught.value.detail, caught.value.field) == ("gone", "over", "/id")


@pytest.mark.parametrize("classes", ['["Nonsense"]', '["annotations"]', '["Exception", "Snooze"]'])
def test_a_refusal_of_an_unknown_class_is_still_a_refusal(classes: str) -> None:
    """Names from the wire never choose anything that is not one."""
    body = f'{{"classes": {classes}, "code": "c", "detail": "d", "field": null}}'
    with pytest.raises(Refusal) as caught:
        replies.read(Packet({"status": "refused"}, body.encode()), Answer)
    assert type(caught.value) is Refusal


@pytest.mark.parametrize("packet", [replies.failed(), Packet({}, b""), Packet({"status": "new"}, b"{}")])
def test_anything_else_is_a_failure_over_there(packet: Packet) -> None:
    """The service is there and did not answer."""
    with pytest.raises(Unavailable):
        replies.read(packet, Answer)


def test_a_reply_that_no_broker_would_take_is_a_failure() -> None:
    """Rather than a silence until the timeout."""
    packet = replies.replied(Answer(value=1, text="x" * (replies.LIMIT_BYTES + 1)))
    assert packet.headers["status"] == "failed"
