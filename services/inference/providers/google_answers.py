"""What Google's APIs answer, read: pictures of Gemini, and errors sorted into ours. Pure.

Sources, read 2026-11-24: GenerateContentResponse and Candidate.FinishReason
(https://docs.cloud.google.com/gemini-enterprise-agent-platform/reference/models/inference), the errors
(https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/api-errors) and ErrorInfo
(https://cloud.google.com/apis/design/errors).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from libs.common.contracts.providers import FaultCode, ProviderCard
from libs.common.providers.models import retired, why_retired
from services.inference.providers.faults import Sorting, failed, failed_status
from services.inference.providers.provider import CallFailed, Drawing
from services.inference.providers.web_calls import WebAnswer

_REFUSED = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "MODEL_ARMOR",
        "JAILBREAK",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
    }
)
_PICTURES = frozenset({"image/png", "image/jpeg", "image/webp"})
_REASONS = {
    "BILLING_DISABLED": FaultCode.BILLING,
    "SERVICE_DISABLED": FaultCode.NO_PERMISSION,
    "CONSUMER_SUSPENDED": FaultCode.NO_PERMISSION,
    "CONSUMER_INVALID": FaultCode.NOT_FOUND,
    "ACCESS_TOKEN_EXPIRED": FaultCode.EXPIRED,
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": FaultCode.NO_PERMISSION,
}
_STATUSES = {"FAILED_PRECONDITION": FaultCode.MALFORMED, "PERMISSION_DENIED": FaultCode.NO_PERMISSION}
_BY_DAY = ("per day", "per_day", "PerDay", "daily")


def drawing_of(body: bytes, model: str) -> Drawing:
    """The picture in an answer of generateContent.

    CallFailed: refused_picture where Google declines to draw, bad_answer where there is none or it is broken.
    """
    answer = _object(body)
    feedback = answer.get("promptFeedback")
    if isinstance(feedback, dict) and feedback.get("blockReason"):
        raise failed(FaultCode.REFUSED_PICTURE)
    candidate = _first(answer.get("candidates"))
    for part in _parts(candidate):
        return _drawing(part, str(answer.get("modelVersion") or model)[:100])
    if str(candidate.get("finishReason")) in _REFUSED:
        raise failed(FaultCode.REFUSED_PICTURE)
    raise failed(FaultCode.BAD_ANSWER, sentence="the provider answered without a picture")


def google_failed(
    answer: WebAnswer, sorting: Sorting, known: ProviderCard | None = None, model: str = ""
) -> CallFailed:
    """What an error of an API means; a 404 of a model that was retired names its successor."""
    if known is not None and answer.status == 404 and retired(known, model, datetime.now(UTC).date()):
        return failed(FaultCode.RETIRED, f"HTTP {answer.status}", why_retired(known, model))
    code = _code_of(answer.status, _object(answer.body).get("error"))
    if code is None:
        return failed_status(answer.status, sorting=sorting)
    return failed(sorting.get(code, code), f"HTTP {answer.status}")


def _code_of(status: int, error: object) -> FaultCode | None:
    """None where the HTTP status says it all.

    Google says "quota" of a minute's limit and of its own full machines too, so only a day's is the key's.
    """
    if not isinstance(error, dict) or not 400 <= status < 500:
        return None
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and (known := _REASONS.get(str(detail.get("reason")))):
            return known
    if status == 429:
        said = str(error.get("message", ""))
        return FaultCode.QUOTA if any(words in said for words in _BY_DAY) else FaultCode.OVERLOADED
    return _STATUSES.get(str(error.get("status", "")))


def _parts(candidate: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The pictures of a candidate, without those that the model only drew to think."""
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, dict) and isinstance(part.get("inlineData"), dict) and not part.get("thought"):
            yield part["inlineData"]


def _drawing(inline: Mapping[str, Any], model: str) -> Drawing:
    media_type, data = str(inline.get("mimeType")), inline.get("data")
    try:
        decoded = base64.b64decode(data, validate=True) if isinstance(data, str) else b""
    except ValueError:
        decoded = b""
    if media_type not in _PICTURES or not decoded:
        raise failed(FaultCode.BAD_ANSWER, sentence="the provider's picture is none")
    return Drawing(decoded, media_type, model)


def _first(candidates: object) -> Mapping[str, Any]:
    first = candidates[0] if isinstance(candidates, list) and candidates else None
    return first if isinstance(first, dict) else {}


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
