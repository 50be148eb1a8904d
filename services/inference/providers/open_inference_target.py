"""What a tenant's fields say of its inference server, checked before anything is sent there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from yarl import URL

from libs.common.contracts.providers import FaultCode
from libs.common.egress import Guard, UrlForbidden
from services.inference.providers.faults import Sorting
from services.inference.providers.provider import Account, CallFailed

TENSOR_FAULTS: Sorting = {FaultCode.BAD_PICTURE: FaultCode.MALFORMED}
"""The tensors of our model look alike for every picture: who refuses them serves another model."""

SCHEMES = ("http", "https", "grpc", "grpcs")
_DEFAULT_HEADER = "X-API-Key"
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_SECRET = re.compile(r"[\x21-\x7e]{1,4096}")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")
_OTHERS_HEADERS = re.compile(
    r"host|connection|keep-alive|te|trailer|upgrade|expect|cookie|content-.*|accept.*|transfer-.*|proxy-.*"
    r"|inference-header-.*|grpc-.*|.*-bin",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Target:
    """What is called: where, which model, and the header that opens it."""

    url: URL
    model: str
    version: str
    headers: Mapping[str, str] = field(repr=False)


def target_of(account: Account, guard: Guard) -> Target:
    """What the account's fields say. Raises CallFailed (malformed)."""
    settings = account.settings
    model, version = settings.get("model", ""), settings.get("model_version", "")
    if not _is_name(model) or (version and not _is_name(version)):
        raise CallFailed(FaultCode.MALFORMED, "The name or the version of the model can't be one.")
    return Target(_url(settings.get("url", ""), guard), model, version, _headers(account))


def _is_name(text: str) -> bool:
    """Whether it is one segment of a path, which leads nowhere else."""
    return _NAME.fullmatch(text) is not None and text not in (".", "..")


def _url(text: str, guard: Guard) -> URL:
    try:
        url = guard.read(text)
    except UrlForbidden as forbidden:
        raise CallFailed(FaultCode.MALFORMED, forbidden.detail) from None
    if url.raw_query_string or url.raw_fragment:
        raise CallFailed(FaultCode.MALFORMED, "The URL must have no query: paths are appended to it.")
    return url


def _headers(account: Account) -> dict[str, str]:
    bearer, key = account.secrets.get("bearer"), account.secrets.get("api_key")
    if not all(_SECRET.fullmatch(value) for value in (bearer, key) if value) or not (bearer or key):
        raise CallFailed(FaultCode.MALFORMED, "The credential holds no key, or one that no header can carry.")
    headers = {_key_header(account): key} if key else {}
    return {**headers, "Authorization": f"Bearer {bearer}"} if bearer else headers


def _key_header(account: Account) -> str:
    header = account.settings.get("header") or _DEFAULT_HEADER
    if not _HEADER.fullmatch(header) or _OTHERS_HEADERS.fullmatch(header):
        raise CallFailed(FaultCode.MALFORMED, "The key can't be sent in a header of that name.")
    return header
