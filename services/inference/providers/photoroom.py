"""Photoroom's image editing API on a tenant's own plan: the ghost mannequin.

Source: https://docs.photoroom.com/getting-started/api-reference-openapi (POST /v2/edit, GET /v2/account) and
https://docs.photoroom.com/image-editing-api-plus-plan/ghost-mannequin, read 2026-11-24. The answer is the
picture itself. Calls that fail are not charged, and asking for the account is free
(https://docs.photoroom.com/getting-started/pricing).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import FormData
from yarl import URL

from libs.common.contracts.providers import FaultCode, ProviderName
from libs.common.egress import Guard
from libs.common.providers import card
from services.inference.providers.faults import failed, failed_status
from services.inference.providers.proportions import Proportion, of_photo
from services.inference.providers.provider import Account, CallFailed, Connection, Drawing, Tensors
from services.inference.providers.surroundings import Surroundings
from services.inference.providers.web_calls import WebAnswer, WebCalls

API = "https://image-api.photoroom.com"
MODEL = "photoroom-ghost-mannequin-v2"
"""Photoroom names no versions of its models; this is the API's."""
_SIZES = {
    Proportion.PORTRAIT_9_16: "PORTRAIT_HD_16_9",
    Proportion.PORTRAIT_2_3: "PORTRAIT_HD_3_2",
    Proportion.PORTRAIT_3_4: "PORTRAIT_HD_4_3",
    Proportion.SQUARE: "SQUARE_HD",
    Proportion.LANDSCAPE_4_3: "LANDSCAPE_HD_4_3",
    Proportion.LANDSCAPE_3_2: "LANDSCAPE_HD_3_2",
    Proportion.LANDSCAPE_16_9: "LANDSCAPE_HD_16_9",
}
_FILES = {"image/jpeg": "photo.jpg", "image/png": "photo.png", "image/webp": "photo.webp"}
_PICTURES = frozenset({"image/png", "image/jpeg", "image/webp"})
_PICTURE_BYTES = 32 * 1024 * 1024
_ACCOUNT_BYTES = 64 * 1024
_SPARE_S = 5.0
_KEY = re.compile(r"(?!sandbox_)[A-Za-z0-9_.-]{16,256}")
_KEY_WORDS = re.compile(
    r"(invalid|unknown|missing|wrong|revoked|disabled)\W.{0,20}api.?key|api.?key.{0,40}"
    r"(invalid|not valid|unknown|revoked|disabled)",
    re.IGNORECASE,
)
_SAFETY_WORDS = re.compile(r"nsfw|unsafe|inappropriate|moderat|content polic|safety", re.IGNORECASE)
_CREDIT_WORDS = re.compile(r"exhausted|no .{0,20}left|quota", re.IGNORECASE)


class Photoroom:
    """See Provider."""

    name = ProviderName.PHOTOROOM

    def __init__(self, around: Surroundings) -> None:
        self._api = around.endpoints.get(self.name)

    async def connect(self, account: Account) -> Connection:
        """Nothing is sent yet. CallFailed (malformed) where the key can't be one, or is of the sandbox."""
        key = account.secrets.get("api_key", "")
        if not _KEY.fullmatch(key):
            raise failed(
                FaultCode.MALFORMED, sentence="there is no API key, or none of a live plan of Photoroom's"
            )
        timeout_s = card(self.name).limits.timeout_s + _SPARE_S
        calls = WebCalls(Guard(allow_private=self._api is not None, timeout_s=timeout_s))
        return PhotoroomConnection(key, calls, URL(self._api or API))


class PhotoroomConnection(Connection):
    """See Connection."""

    def __init__(self, key: str, calls: WebCalls, api: URL) -> None:
        self._headers = _Headers({"x-api-key": key})
        self._calls = calls
        self._api = api

    async def probe(self) -> None:
        """The account: free. CallFailed (quota) where no picture is left in it."""
        url = self._api / "v2/account"
        answer = await self._calls.request("GET", url, _ACCOUNT_BYTES, headers=self._headers.sent)
        if answer.status != 200:
            raise photoroom_failed(answer)
        if _left(answer.body) <= 0:
            raise failed(FaultCode.QUOTA, sentence="no images are left in the Photoroom plan")

    async def segment(self, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        raise failed(FaultCode.NOT_FOUND)

    async def ghost(self, photo: bytes, media_type: str) -> Drawing:
        url = self._api / "v2/edit"
        answer = await self._calls.request(
            "POST", url, _PICTURE_BYTES, headers=self._headers.sent, body=_form(photo, media_type)
        )
        if answer.status != 200:
            raise photoroom_failed(answer)
        if answer.media_type not in _PICTURES or not answer.body:
            raise failed(FaultCode.BAD_ANSWER, sentence="the provider answered without a picture")
        return Drawing(answer.body, answer.media_type, MODEL)

    async def on_model(
        self, photo: bytes, media_type: str, prompt: str, person: bytes | None = None
    ) -> Drawing:
        raise failed(FaultCode.NOT_FOUND)

    async def close(self) -> None:
        await self._calls.close()


class _Headers:
    """Headers whose values show in no repr."""

    def __init__(self, sent: Mapping[str, str]) -> None:
        self.sent = sent

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self.sent)})"


def photoroom_failed(answer: WebAnswer) -> CallFailed:
    """What an error means. A 403 stands for a key that is not known as well as for one that may not."""
    said = answer.body.decode("utf-8", "replace")
    origin = f"HTTP {answer.status}"
    if answer.status in (400, 401, 403) and _KEY_WORDS.search(said):
        return failed(FaultCode.REVOKED, origin)
    if answer.status in (400, 422) and _SAFETY_WORDS.search(said):
        return failed(FaultCode.REFUSED_PICTURE, origin)
    if answer.status == 402 and _CREDIT_WORDS.search(said):
        return failed(FaultCode.QUOTA, origin, "no images are left in the Photoroom plan")
    return failed_status(answer.status)


def _form(photo: bytes, media_type: str) -> FormData:
    """The fields of POST /v2/edit: in the frame of the photo, on nothing, of its proportions."""
    form = FormData()
    form.add_field("imageFile", photo, filename=_FILES.get(media_type, "photo"), content_type=media_type)
    fields = {
        "ghostMannequin.mode": "ai.auto",
        "ghostMannequin.size": _SIZES[of_photo(photo) or Proportion.SQUARE],
        "removeBackground": "true",
        "referenceBox": "originalImage",
        "outputSize": "originalImage",
        "export.format": "png",
    }
    for name, value in fields.items():
        form.add_field(name, value)
    return form


def _left(body: bytes) -> float:
    """How many images are left, as the account says."""
    try:
        said: Any = json.loads(body)
        left = said["images"]["available"]
    except (ValueError, KeyError, TypeError, RecursionError):
        left = None
    if isinstance(left, bool) or not isinstance(left, int | float):
        raise failed(FaultCode.BAD_ANSWER, "of the account")
    return float(left)
