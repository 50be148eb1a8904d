"""A tenant's Google Cloud project: its own Vertex endpoint, or a Gemini image model that draws.

Sources, read 2026-11-24: projects.locations.endpoints.rawPredict
(https://docs.cloud.google.com/gemini-enterprise-agent-platform/reference/rest/v1beta1/projects.locations.endpoints/rawPredict)
takes an arbitrary HTTP body, here one of the Open Inference Protocol v2 as JSON: that is what containers of
Triton, MLServer and KServe are spoken to in, where `predict` would wrap it into instances. A public endpoint
takes 1.5 MB, which one picture's tensors just fit into; a dedicated one takes 10.
generateContent with a picture in and out
(https://docs.cloud.google.com/gemini-enterprise-agent-platform/reference/models/inference).
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from yarl import URL

from libs.common.contracts.providers import Ability, FaultCode, ProviderName
from libs.common.egress import Guard
from libs.common.providers import card
from libs.common.providers.models import model_named, retired, why_retired
from services.inference.providers import tensor_wire
from services.inference.providers.faults import Sorting, failed
from services.inference.providers.google_account import (
    TOKEN_URI,
    ServiceAccount,
    Tokens,
    read_service_account,
)
from services.inference.providers.google_answers import drawing_of, google_failed
from services.inference.providers.proportions import Proportion, of_photo
from services.inference.providers.provider import Account, Connection, Drawing, Tensors
from services.inference.providers.surroundings import Surroundings
from services.inference.providers.web_calls import WebAnswer, WebCalls

GHOST_PROMPT = (
    "Retouch this product photo into a ghost-mannequin picture. Remove the person, mannequin, hanger and "
    "stand. Show the inside back of the garment through its neckline and other openings, in its own fabric, "
    "with the seam, the shadow and the folds that would be seen there. Keep all that is visible of the "
    "garment exactly as it is: same place, size, outline, colours, print and light. "
    "Keep the frame and the proportions of the photo. Plain white background, no shadow on it, no text."
)
ON_MODEL_PROMPT = (
    "Show exactly this garment worn by a person. Change nothing of the garment: same colours, print, fabric "
    "and cut. Keep the proportions of the photo. The person and the scene: {prompt}"
)
DRESS_PROMPT = (
    "The first photo shows a person, the second one a garment. Show the first photo again with this person "
    "wearing exactly this garment in place of what they wear there. Change nothing of the garment: same "
    "colours, print, fabric and cut. Change nothing else of the first photo: same face, hair, hands, pose, "
    "light, background, frame and proportions. No text."
)
_ENDPOINT_MODEL = "endpoint"
_TENSORS: Sorting = {FaultCode.BAD_PICTURE: FaultCode.MALFORMED}
"""The tensors of our model look alike for every picture: who refuses them serves another model."""
_PICTURES: Sorting = {}
_PICTURE_BYTES = 32 * 1024 * 1024
_LONGEST_PROMPT = 2000
_SPARE_S = 5.0
_PROJECT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_LOCATION = re.compile(r"global|[a-z]{2,20}-[a-z]{2,20}[0-9]{1,2}")
_ENDPOINT = re.compile(r"[0-9]{1,20}")
_HOST = re.compile(
    r"[0-9a-z-]{1,40}\.[a-z]{2,20}-[a-z]{2,20}[0-9]{1,2}-[0-9]{1,20}\.prediction\.vertexai\.goog"
)
_MODEL = re.compile(r"gemini-[a-z0-9][a-z0-9.-]{1,56}")
_RATIOS = {one: f"{one.value[0]}:{one.value[1]}" for one in Proportion}


@dataclass(frozen=True, slots=True)
class Target:
    """What is called. `endpoint` is the tenant's own; without one `model` draws."""

    project: str
    location: str
    model: str
    endpoint: str = ""
    dedicated_host: str = ""

    @property
    def api(self) -> URL:
        """Where Google's API is for this location. Nothing of it is free for a tenant to choose."""
        if self.endpoint and self.dedicated_host:
            return URL.build(scheme="https", host=self.dedicated_host)
        host = "aiplatform.googleapis.com"
        return URL.build(
            scheme="https", host=host if self.location == "global" else f"{self.location}-{host}"
        )

    def method(self, name: str) -> str:
        """The path of a method of the endpoint or of the model."""
        what = f"endpoints/{self.endpoint}" if self.endpoint else f"publishers/google/models/{self.model}"
        return f"v1/projects/{self.project}/locations/{self.location}/{what}:{name}"


class GoogleVertex:
    """See Provider. token_url: where tokens are asked for, of which no credential has a say."""

    name = ProviderName.GOOGLE_VERTEX

    def __init__(self, around: Surroundings, token_url: str | None = None) -> None:
        api = around.endpoints.get(self.name)
        self._api = URL(api) if api else None
        self._token_url = URL(token_url or (f"{api}/token" if api else TOKEN_URI))

    async def connect(self, account: Account) -> Connection:
        """Nothing is sent yet. CallFailed: malformed fields, or a retired model with its successor's name."""
        text = account.secrets.get("service_account", "")
        service = await asyncio.to_thread(read_service_account, text)
        target = target_of(account, service)
        timeout_s = card(self.name).limits.timeout_s + _SPARE_S
        # The addresses are Google's or the operator's: only the latter may be this machine's.
        calls = WebCalls(Guard(allow_private=self._api is not None, timeout_s=timeout_s))
        tokens = Tokens(service, calls, self._token_url)
        return VertexConnection(target, tokens, calls, self._api or target.api)


class VertexConnection(Connection):
    """See Connection."""

    def __init__(self, target: Target, tokens: Tokens, calls: WebCalls, api: URL) -> None:
        self._target = target
        self._tokens = tokens
        self._calls = calls
        self._api = api

    async def probe(self) -> None:
        """A new token: free, and refused as soon as the account or its key is gone."""
        await self._tokens.exchange()

    async def segment(self, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        if not self._target.endpoint:
            raise failed(FaultCode.MALFORMED, sentence="the credential names no endpoint that could segment")
        body = await asyncio.to_thread(tensor_wire.encode_json, inputs, outputs)
        answer = await self._post("rawPredict", body, tensor_wire.answer_limit(inputs), _TENSORS)
        return await asyncio.to_thread(tensor_wire.decode, answer, None, outputs)

    async def ghost(self, photo: bytes, media_type: str) -> Drawing:
        return await self._draw(photo, media_type, GHOST_PROMPT)

    async def on_model(
        self, photo: bytes, media_type: str, prompt: str, person: bytes | None = None
    ) -> Drawing:
        if person is not None:
            return await self._draw(person, media_type, DRESS_PROMPT, photo)
        return await self._draw(photo, media_type, ON_MODEL_PROMPT.format(prompt=prompt[:_LONGEST_PROMPT]))

    async def close(self) -> None:
        await self._calls.close()

    async def _draw(self, photo: bytes, media_type: str, prompt: str, second: bytes | None = None) -> Drawing:
        if self._target.endpoint:
            raise failed(
                FaultCode.MALFORMED, sentence="the credential names an endpoint, which draws nothing"
            )
        body = await asyncio.to_thread(_request, photo, media_type, prompt, second)
        answer = await self._post("generateContent", body, _PICTURE_BYTES, _PICTURES)
        return await asyncio.to_thread(drawing_of, answer, self._target.model)

    async def _post(self, method: str, body: bytes, limit: int, sorting: Sorting) -> bytes:
        """The body of a 200. A token that Google takes no more is exchanged once."""
        token = await self._tokens.get()
        answer = await self._send(method, body, limit, token)
        if answer.status == 401:
            self._tokens.forget(token)
            answer = await self._send(method, body, limit, await self._tokens.get())
        if answer.status != 200:
            raise google_failed(answer, sorting, card(GoogleVertex.name), self._target.model)
        return answer.body

    async def _send(self, method: str, body: bytes, limit: int, token: str) -> WebAnswer:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        url = URL(f"{str(self._api).rstrip('/')}/{self._target.method(method)}", encoded=True)
        return await self._calls.request("POST", url, limit, headers=headers, body=body)


def target_of(account: Account, service: ServiceAccount, today: date | None = None) -> Target:
    """What the account's fields say. CallFailed (malformed, retired)."""
    settings = account.settings
    model = settings.get("model") or _default_model()
    target = Target(
        project=settings.get("project") or service.project,
        location=settings.get("location") or "global",
        model=model,
        endpoint=settings.get("endpoint", "") if model == _ENDPOINT_MODEL else "",
        dedicated_host=settings.get("dedicated_host", ""),
    )
    _check(target)
    known = card(ProviderName.GOOGLE_VERTEX)
    if retired(known, model, today or datetime.now(UTC).date()):
        raise failed(FaultCode.RETIRED, sentence=why_retired(known, model))
    return target


def _default_model() -> str:
    known = card(ProviderName.GOOGLE_VERTEX)
    return next(field.default or "" for field in known.fields if field.name == "model")


def _check(target: Target) -> None:
    """The card's patterns once more: what stands here becomes part of an address."""
    wrong = not _PROJECT.fullmatch(target.project) or not _LOCATION.fullmatch(target.location)
    if target.dedicated_host:
        wrong |= not _HOST.fullmatch(target.dedicated_host)
    if target.model == _ENDPOINT_MODEL:
        wrong |= not _ENDPOINT.fullmatch(target.endpoint) or target.location == "global"
    else:
        wrong |= not _MODEL.fullmatch(target.model) or not _draws(target.model)
    if wrong:
        raise failed(
            FaultCode.MALFORMED,
            sentence="the project, location, model or endpoint is missing or is not written like one",
        )


def _draws(name: str) -> bool:
    model = model_named(card(ProviderName.GOOGLE_VERTEX), name)
    return model is None or Ability.GHOST in model.abilities


def _request(photo: bytes, media_type: str, prompt: str, second: bytes | None = None) -> bytes:
    """The body of generateContent: the photo, a second one if there is one, what to do with it, and one
    picture of the first one's proportions back.
    """
    pictures = [
        {"inlineData": {"mimeType": media_type, "data": base64.b64encode(each).decode("ascii")}}
        for each in (photo, second)
        if each is not None
    ]
    config: dict[str, object] = {"responseModalities": ["TEXT", "IMAGE"], "candidateCount": 1}
    proportion = of_photo(photo)
    if proportion is not None:
        config["imageConfig"] = {"aspectRatio": _RATIOS[proportion]}
    asked = {
        "contents": [{"role": "user", "parts": [*pictures, {"text": prompt}]}],
        "generationConfig": config,
    }
    return json.dumps(asked, separators=(",", ":")).encode()
