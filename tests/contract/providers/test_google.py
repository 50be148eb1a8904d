"""What only Google's adapter promises, on a server that checks every request by the public documents."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import pytest

from libs.common.contracts.providers import FaultCode, ProviderName
from services.inference.providers.google_account import TOKEN_URI, read_service_account
from services.inference.providers.google_vertex import GoogleVertex, target_of
from services.inference.providers.provider import Account, CallFailed, Connection, Drawing
from services.inference.providers.surroundings import Surroundings
from tests.contract.providers.calls import OUTPUTS, photo, tensors
from tests.contract.providers.google_rows import DRAWING, ON_ENDPOINT, OnGoogle
from tests.contract.providers.subject import Place
from tests.servers.google_vertex_contract import PROJECT, GoogleContract, refusal
from tests.servers.rogue import Answer


@asynccontextmanager
async def on(place: Place) -> AsyncIterator[Connection]:
    """A connection without the shared layer."""
    connection = await GoogleVertex(place.around).connect(place.account)
    try:
        yield connection
    finally:
        await connection.close()


async def fault_of_ghost(google: GoogleContract) -> FaultCode:
    async with on(await OnGoogle(google, DRAWING).working()) as connection:
        with pytest.raises(CallFailed) as failed:
            await connection.ghost(photo(), "image/jpeg")
    return failed.value.fault.code


async def test_every_request_is_as_the_documents_ask(google_server: GoogleContract) -> None:
    """Probe, both kinds of drawing, and tensors: the server took exception to none."""
    async with on(await OnGoogle(google_server, DRAWING).working()) as connection:
        await connection.probe()
        drawn = await connection.ghost(photo(), "image/jpeg")
        worn = await connection.on_model(photo(), "image/jpeg", "a woman in a {white} studio")
    async with on(await OnGoogle(google_server, ON_ENDPOINT).working()) as connection:
        await connection.segment(tensors(), OUTPUTS)
    assert google_server.problems == []
    assert drawn == Drawing(b"\x89PNG drawn", "image/png", "gemini-3.1-flash-image-001") == worn
    prompts = [asked.contents[0].parts[1].text or "" for asked in google_server.asked]
    assert "ghost-mannequin" in prompts[0]
    assert "a woman in a {white} studio" in prompts[1]


async def test_a_person_is_sent_before_the_garment(google_server: GoogleContract) -> None:
    """And the picture that comes back is to have the person's proportions."""
    async with on(await OnGoogle(google_server, DRAWING).working()) as connection:
        await connection.on_model(b"\xff\xd8garment", "image/jpeg", "", photo())
    person, garment, prompt = google_server.asked[0].contents[0].parts
    assert google_server.problems == []
    assert person.inlineData is not None
    assert garment.inlineData is not None
    assert base64.b64decode(person.inlineData.data) == photo()
    assert base64.b64decode(garment.inlineData.data) == b"\xff\xd8garment"
    assert "wearing exactly this garment" in (prompt.text or "")


async def test_the_picture_asked_for_has_the_photos_proportions(google_server: GoogleContract) -> None:
    """The nearest of those that the models draw."""
    async with on(await OnGoogle(google_server, DRAWING).working()) as connection:
        await connection.ghost(photo(), "image/jpeg")
    config = google_server.asked[0].generationConfig.imageConfig
    assert config is not None
    assert config.aspectRatio == "3:4"


async def test_a_token_serves_many_calls_and_each_probe_asks_anew(google_server: GoogleContract) -> None:
    """The exchange is the probe: free, and it fails as soon as the key is gone."""
    async with on(await OnGoogle(google_server, DRAWING).working()) as connection:
        for _ in range(3):
            await connection.ghost(photo(), "image/jpeg")
        assert google_server.exchanges == 1
        await connection.probe()
        await connection.probe()
        assert google_server.exchanges == 3


async def test_a_token_that_ended_early_is_exchanged_once(google_server: GoogleContract) -> None:
    """The key still works, so its owner notices nothing."""
    async with on(await OnGoogle(google_server, DRAWING).working()) as connection:
        await connection.ghost(photo(), "image/jpeg")
        google_server.end_tokens()
        await connection.ghost(photo(), "image/jpeg")
    assert google_server.exchanges == 2


@pytest.mark.parametrize("reason", ["IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "SAFETY", "RECITATION"])
async def test_a_picture_that_google_declines_is_the_requests_fault(
    google_server: GoogleContract, reason: str
) -> None:
    """The drawing is withheld; the key is as good as before."""
    google_server.picture, google_server.finish = None, reason
    assert await fault_of_ghost(google_server) is FaultCode.REFUSED_PICTURE


async def test_a_photo_that_google_blocks_is_the_requests_fault(google_server: GoogleContract) -> None:
    """Before anything is drawn."""
    google_server.block = "PROHIBITED_CONTENT"
    assert await fault_of_ghost(google_server) is FaultCode.REFUSED_PICTURE


@pytest.mark.parametrize("finish", ["STOP", "NO_IMAGE", "IMAGE_OTHER", "MAX_TOKENS"])
async def test_words_without_a_picture_are_a_bad_answer(google_server: GoogleContract, finish: str) -> None:
    """What the model drew only to think is no picture either."""
    google_server.picture, google_server.finish = None, finish
    assert await fault_of_ghost(google_server) is FaultCode.BAD_ANSWER


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refusal(403, "PERMISSION_DENIED", reason="BILLING_DISABLED"), FaultCode.BILLING),
        (refusal(403, "PERMISSION_DENIED", reason="SERVICE_DISABLED"), FaultCode.NO_PERMISSION),
        (refusal(403, "PERMISSION_DENIED"), FaultCode.NO_PERMISSION),
        (
            refusal(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
            FaultCode.OVERLOADED,
        ),
        (
            refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded: requests_per_minute_per_model"),
            FaultCode.OVERLOADED,
        ),
        (refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded: requests_per_day"), FaultCode.QUOTA),
        (refusal(400, "INVALID_ARGUMENT", "Unable to process input image."), FaultCode.BAD_PICTURE),
        (refusal(400, "FAILED_PRECONDITION"), FaultCode.MALFORMED),
        (refusal(404, "NOT_FOUND"), FaultCode.NOT_FOUND),
        (refusal(503, "UNAVAILABLE"), FaultCode.UNAVAILABLE),
        (Answer(500, b"<html>"), FaultCode.UNAVAILABLE),
    ],
)
async def test_googles_errors_are_sorted(
    google_server: GoogleContract, answer: Answer, code: FaultCode
) -> None:
    """A minute's limit is no fault of the key, though Google calls it a quota."""
    google_server.answer = answer
    assert await fault_of_ghost(google_server) is code


@pytest.mark.parametrize(
    "body",
    [
        b'{"candidates": [{"finishReason": ["SAFETY"]}]}',
        b'{"candidates": [{"content": {"parts": [{"inlineData": {"mimeType": [], "data": "AAAA"}}]}}]}',
        b'{"candidates": [{"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "?"}}]}}]}',
        b'{"candidates": {"content": 1}, "promptFeedback": []}',
        b'{"error": {"details": 7}}',
    ],
)
async def test_answers_that_are_not_as_documented_are_bad_ones(
    google_server: GoogleContract, body: bytes
) -> None:
    """Wherever another kind of value stands."""
    google_server.answer = Answer(200, body, {"Content-Type": "application/json"})
    assert await fault_of_ghost(google_server) is FaultCode.BAD_ANSWER


@pytest.mark.parametrize(
    "error", [b"7", b'{"details": 7}', b'{"details": [7, {"reason": []}]}', b'{"status": []}']
)
async def test_errors_that_are_not_as_documented_are_sorted_by_their_status(
    google_server: GoogleContract, error: bytes
) -> None:
    """The words are only hints."""
    google_server.answer = Answer(403, b'{"error": ' + error + b"}", {"Content-Type": "application/json"})
    assert await fault_of_ghost(google_server) is FaultCode.NO_PERMISSION


@pytest.mark.parametrize(
    "changed",
    [
        {"token_uri": "https://oauth2.googleapis.com.evil.example/token"},
        {"token_uri": "http://169.254.169.254/token"},
        {"token_uri": TOKEN_URI.replace("https", "http")},
        {"universe_domain": "evil.example"},
        {"type": "authorized_user"},
        {"private_key": "-----BEGIN PRIVATE KEY-----\nnone\n-----END PRIVATE KEY-----"},
    ],
)
async def test_a_key_file_can_not_aim_us_elsewhere(
    google_server: GoogleContract, changed: dict[str, str]
) -> None:
    """Only Google's own token endpoint counts; nothing is sent to any other, nor a word of the key said."""
    place = OnGoogle(google_server, DRAWING).place(google_server.service_account(**changed))
    with pytest.raises(CallFailed) as refused:
        await GoogleVertex(place.around).connect(place.account)
    assert refused.value.fault.code is FaultCode.MALFORMED
    assert google_server.exchanges == 0
    assert "evil" not in refused.value.fault.detail


async def test_tokens_may_be_asked_for_elsewhere_by_the_operator(google_server: GoogleContract) -> None:
    """By an argument of the adapter, never by the credential; the signature is for Google all the same."""
    place = OnGoogle(google_server, DRAWING).place(google_server.service_account())
    provider = GoogleVertex(place.around, token_url=f"{google_server.url}/token")
    connection = await provider.connect(place.account)
    await connection.probe()
    await connection.close()
    assert google_server.exchanges == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"project": "garments-417/../../other"},
        {"location": "europe-west4.evil.example/"},
        {"location": "europe-west4@evil.example"},
        {"model": "gemini-../../secrets"},
        {"model": "endpoint", "endpoint": "7071:predict"},
        {"model": "endpoint"},
        {**ON_ENDPOINT, "dedicated_host": "evil.example"},
        {**ON_ENDPOINT, "dedicated_host": "1.europe-west4-2.prediction.vertexai.goog.evil.example"},
    ],
)
def test_fields_can_not_aim_us_elsewhere(google_server: GoogleContract, settings: dict[str, str]) -> None:
    """They become parts of an address: what does not look like one is refused."""
    service = read_service_account(google_server.service_account())
    with pytest.raises(CallFailed) as refused:
        target_of(Account(settings, {}), service)
    assert refused.value.fault.code is FaultCode.MALFORMED


@pytest.mark.parametrize(
    ("settings", "api"),
    [
        ({}, "https://aiplatform.googleapis.com"),
        ({"location": "europe-west4"}, "https://europe-west4-aiplatform.googleapis.com"),
        (ON_ENDPOINT, "https://europe-west4-aiplatform.googleapis.com"),
        (
            {**ON_ENDPOINT, "dedicated_host": "71.europe-west4-99.prediction.vertexai.goog"},
            "https://71.europe-west4-99.prediction.vertexai.goog",
        ),
    ],
)
def test_the_address_is_googles(google_server: GoogleContract, settings: dict[str, str], api: str) -> None:
    """By the location, or the endpoint's own."""
    service = read_service_account(google_server.service_account())
    target = target_of(Account(settings, {}), service)
    assert str(target.api) == api
    assert target.project == PROJECT


def test_a_retired_model_is_refused_with_its_successors_name(google_server: GoogleContract) -> None:
    """Before anything is sent."""
    service = read_service_account(google_server.service_account())
    account = Account({"model": "gemini-2.5-flash-image"}, {})
    assert target_of(account, service, date(2027, 3, 14)).model == "gemini-2.5-flash-image"
    with pytest.raises(CallFailed) as refused:
        target_of(account, service, date(2027, 3, 15))
    assert refused.value.fault.code is FaultCode.RETIRED
    assert "gemini-3.1-flash-lite-image" in refused.value.fault.detail


async def test_a_signature_that_comes_too_late_is_no_fault_of_the_key(
    google_server: GoogleContract,
) -> None:
    """Our clock is wrong, or Google's."""
    late = {"error": "invalid_grant", "error_description": "Token must be in a reasonable timeframe."}
    await fault_after(google_server, Answer(400, json.dumps(late).encode()), FaultCode.UNAVAILABLE)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("invalid_grant", FaultCode.REVOKED),
        ("disabled_client", FaultCode.REVOKED),
        ("unauthorized_client", FaultCode.NO_PERMISSION),
        ("invalid_scope", FaultCode.NO_PERMISSION),
        ("invalid_request", FaultCode.MALFORMED),
    ],
)
async def test_refusals_of_the_token_endpoint_are_sorted(
    google_server: GoogleContract, name: str, code: FaultCode
) -> None:
    """By RFC 6749 and Google's own names."""
    await fault_after(google_server, Answer(400, json.dumps({"error": name}).encode()), code)


async def fault_after(google: GoogleContract, answer: Answer, code: FaultCode) -> None:
    google.token_answer = answer
    async with on(await OnGoogle(google, DRAWING).working()) as connection:
        with pytest.raises(CallFailed) as failed:
            await connection.probe()
    assert failed.value.fault.code is code


async def test_without_the_operators_word_google_is_google(google_server: GoogleContract) -> None:
    """A connection on the real addresses refuses to open one to this machine."""
    account = Account(DRAWING, {"service_account": google_server.service_account()})
    provider = GoogleVertex(Surroundings(), token_url=f"{google_server.url}/token")
    connection = await provider.connect(account)
    with pytest.raises(CallFailed) as failed:
        await connection.probe()
    await connection.close()
    assert failed.value.fault.code is FaultCode.MALFORMED
    assert google_server.exchanges == 0
    assert provider.name is ProviderName.GOOGLE_VERTEX
