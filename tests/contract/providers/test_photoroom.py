"""What only Photoroom's adapter promises, on a server that checks every request by its OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import cv2
import numpy as np
import pytest

from libs.common.contracts.providers import FaultCode
from services.inference.providers.photoroom import MODEL, Photoroom
from services.inference.providers.provider import CallFailed, Connection, Drawing
from tests.contract.providers.calls import photo
from tests.contract.providers.photoroom_rows import OnPhotoroom
from tests.contract.providers.subject import Place
from tests.servers.photoroom_contract import PhotoroomContract
from tests.servers.rogue import Answer


@asynccontextmanager
async def on(place: Place) -> AsyncIterator[Connection]:
    """A connection without the shared layer."""
    connection = await Photoroom(place.around).connect(place.account)
    try:
        yield connection
    finally:
        await connection.close()


def jpeg(width: int, height: int) -> bytes:
    return cv2.imencode(".jpg", np.full((height, width, 3), 200, np.uint8))[1].tobytes()


async def test_every_request_is_as_the_documents_ask(photoroom_server: PhotoroomContract) -> None:
    """The server took exception to none."""
    async with on(await OnPhotoroom(photoroom_server).working()) as connection:
        await connection.probe()
        drawn = await connection.ghost(photo(), "image/jpeg")
    assert photoroom_server.problems == []
    assert drawn == Drawing(b"\x89PNG drawn", "image/png", MODEL)


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (300, 400, "PORTRAIT_HD_4_3"),
        (400, 600, "PORTRAIT_HD_3_2"),
        (360, 640, "PORTRAIT_HD_16_9"),
        (500, 500, "SQUARE_HD"),
        (400, 300, "LANDSCAPE_HD_4_3"),
    ],
)
async def test_the_picture_asked_for_has_the_photos_proportions(
    photoroom_server: PhotoroomContract, width: int, height: int, size: str
) -> None:
    """In Photoroom's names, which say the longer side first."""
    async with on(await OnPhotoroom(photoroom_server).working()) as connection:
        await connection.ghost(jpeg(width, height), "image/jpeg")
    assert photoroom_server.sizes == [size]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(402, b'{"error":{"detail":"API credits exhausted. Visit the dashboard"}}'), FaultCode.QUOTA),
        (Answer(402, b'{"error":{"detail":"The last payment failed"}}'), FaultCode.BILLING),
        (Answer(403, b'{"error":{"message":"Invalid API key"}}'), FaultCode.REVOKED),
        (Answer(403, b'{"error":{"message":"Not part of your plan"}}'), FaultCode.NO_PERMISSION),
        (Answer(400, b'{"error":{"message":"imageFile could not be read"}}'), FaultCode.BAD_PICTURE),
        (Answer(400, b'{"error":{"message":"Content policy: unsafe image"}}'), FaultCode.REFUSED_PICTURE),
        (Answer(429, b""), FaultCode.OVERLOADED),
        (Answer(500, b""), FaultCode.UNAVAILABLE),
        (Answer(200, b"<html>", {"Content-Type": "text/html"}), FaultCode.BAD_ANSWER),
        (Answer(200, b"", {"Content-Type": "image/png"}), FaultCode.BAD_ANSWER),
    ],
)
async def test_photorooms_errors_are_sorted(
    photoroom_server: PhotoroomContract, answer: Answer, code: FaultCode
) -> None:
    """By status, and by the words where a status has two meanings."""
    photoroom_server.answer = answer
    async with on(await OnPhotoroom(photoroom_server).working()) as connection:
        with pytest.raises(CallFailed) as failed:
            await connection.ghost(photo(), "image/jpeg")
    assert failed.value.fault.code is code


async def test_a_plan_without_images_left_fails_its_probe(photoroom_server: PhotoroomContract) -> None:
    """Before a render finds out."""
    photoroom_server.available = 0
    async with on(await OnPhotoroom(photoroom_server).working()) as connection:
        with pytest.raises(CallFailed) as failed:
            await connection.probe()
    assert failed.value.fault.code is FaultCode.QUOTA


@pytest.mark.parametrize("key", ["", "short", "sandbox_sk_pr_0123456789abcdef", "sk_pr_line\r\nX-Other: 1"])
async def test_a_key_that_can_not_serve_is_malformed(photoroom_server: PhotoroomContract, key: str) -> None:
    """One of the sandbox draws watermarks; others can't be sent in a header."""
    place = OnPhotoroom(photoroom_server).place(key)
    with pytest.raises(CallFailed) as refused:
        await Photoroom(place.around).connect(place.account)
    assert refused.value.fault.code is FaultCode.MALFORMED
