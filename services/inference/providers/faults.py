"""What a provider's refusal means: HTTP statuses, gRPC codes and AWS error codes, sorted into ours. Pure.

What a provider says in words is read for hints and never passed on: it may quote the key that it refuses.
Sources: RFC 9110 section 15, RFC 6585, RFC 6750 section 3.1; the gRPC status codes
(https://grpc.io/docs/guides/status-codes); the common errors of AWS
(https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html) and those of InvokeEndpoint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from libs.common.contracts.providers import FaultCode
from services.inference.providers.provider import CallFailed

_STATUSES = {
    400: FaultCode.BAD_PICTURE,
    401: FaultCode.REVOKED,
    402: FaultCode.BILLING,
    403: FaultCode.NO_PERMISSION,
    404: FaultCode.NOT_FOUND,
    405: FaultCode.NOT_FOUND,
    408: FaultCode.TIMEOUT,
    410: FaultCode.RETIRED,
    413: FaultCode.BAD_PICTURE,
    415: FaultCode.BAD_PICTURE,
    422: FaultCode.BAD_PICTURE,
    425: FaultCode.OVERLOADED,
    429: FaultCode.OVERLOADED,
    451: FaultCode.REFUSED_PICTURE,
    501: FaultCode.NOT_FOUND,
    504: FaultCode.TIMEOUT,
    529: FaultCode.OVERLOADED,
}
_GRPC = {
    "CANCELLED": FaultCode.UNAVAILABLE,
    "UNKNOWN": FaultCode.UNAVAILABLE,
    "INVALID_ARGUMENT": FaultCode.BAD_PICTURE,
    "DEADLINE_EXCEEDED": FaultCode.TIMEOUT,
    "NOT_FOUND": FaultCode.NOT_FOUND,
    "PERMISSION_DENIED": FaultCode.NO_PERMISSION,
    "RESOURCE_EXHAUSTED": FaultCode.OVERLOADED,
    "FAILED_PRECONDITION": FaultCode.MALFORMED,
    "ABORTED": FaultCode.UNAVAILABLE,
    "OUT_OF_RANGE": FaultCode.BAD_PICTURE,
    "UNIMPLEMENTED": FaultCode.NOT_FOUND,
    "INTERNAL": FaultCode.UNAVAILABLE,
    "UNAVAILABLE": FaultCode.UNAVAILABLE,
    "DATA_LOSS": FaultCode.BAD_ANSWER,
    "UNAUTHENTICATED": FaultCode.REVOKED,
}
_AWS = {
    **dict.fromkeys(
        (
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "InvalidSignatureException",
            "IncompleteSignature",
            "MissingAuthenticationToken",
            "InvalidToken",
            "AuthFailure",
        ),
        FaultCode.REVOKED,
    ),
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "RequestExpired"), FaultCode.EXPIRED),
    **dict.fromkeys(
        (
            "AccessDenied",
            "AccessDeniedException",
            "NotAuthorized",
            "UnauthorizedOperation",
            "RegionDisabledException",
        ),
        FaultCode.NO_PERMISSION,
    ),
    **dict.fromkeys(("OptInRequired", "AccountProblem", "SubscriptionRequiredException"), FaultCode.BILLING),
    **dict.fromkeys(
        ("ServiceQuotaExceededException", "LimitExceededException", "ResourceLimitExceeded"), FaultCode.QUOTA
    ),
    **dict.fromkeys(
        (
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "TooManyRequestsException",
            "RequestLimitExceeded",
        ),
        FaultCode.OVERLOADED,
    ),
    **dict.fromkeys(
        (
            "ServiceUnavailable",
            "ServiceUnavailableException",
            "InternalFailure",
            "InternalFailureException",
            "InternalServerException",
            "InternalDependencyException",
            "ModelNotReadyException",
        ),
        FaultCode.UNAVAILABLE,
    ),
    **dict.fromkeys(("ResourceNotFound", "ResourceNotFoundException"), FaultCode.NOT_FOUND),
    **dict.fromkeys(("ValidationError", "ValidationException"), FaultCode.MALFORMED),
}
_SENTENCES = {
    FaultCode.REVOKED: "the provider does not accept the key",
    FaultCode.EXPIRED: "the provider says that the key has expired",
    FaultCode.NO_PERMISSION: "the key may not be used for this",
    FaultCode.QUOTA: "the account's quota at the provider is used up",
    FaultCode.BILLING: "the provider wants the account's billing put right",
    FaultCode.MALFORMED: "the provider does not take what it was sent; check the credential's fields",
    FaultCode.NOT_FOUND: "the provider knows nothing of that name",
    FaultCode.RETIRED: "what is asked for is no longer offered",
    FaultCode.OVERLOADED: "the provider has too much to do",
    FaultCode.UNAVAILABLE: "the provider is not able to answer",
    FaultCode.TIMEOUT: "the provider did not answer in time",
    FaultCode.BAD_ANSWER: "the provider's answer can't be used",
    FaultCode.BAD_PICTURE: "the provider can't use the picture",
    FaultCode.REFUSED_PICTURE: "the provider declines the picture",
}
_EXPIRED = re.compile(r"\bexpir(ed|y)", re.IGNORECASE)
_QUOTA = re.compile(r"insufficient[ _]quota|quota|credits?\b|(monthly|daily) limit|\bplan\b", re.IGNORECASE)
_RATE = re.compile(r"per (second|minute)|rate[ _-]?limit|concurren|slow down|try again", re.IGNORECASE)
_MISSING = re.compile(r"not (be )?found|could not find|does not exist", re.IGNORECASE)
_TOO_LARGE = re.compile(r"message larger than max", re.IGNORECASE)
Sorting = Mapping[FaultCode, FaultCode]
"""What a code means for one provider, where it is not what it means for most."""


def of_status(status: int, hint: str = "") -> FaultCode:
    """Of an HTTP status that is no success. hint: what the answer says, in its headers or its body."""
    if 300 <= status < 400:
        return FaultCode.MALFORMED
    if status >= 500:
        return _STATUSES.get(status, FaultCode.UNAVAILABLE)
    return _by_words(_STATUSES.get(status, FaultCode.BAD_ANSWER), hint)


def of_grpc(code: str, hint: str = "") -> FaultCode:
    """Of a gRPC status code by its name, `UNAVAILABLE` or `StatusCode.UNAVAILABLE`."""
    if _TOO_LARGE.search(hint):
        return FaultCode.BAD_ANSWER
    return _by_words(_GRPC.get(code.rpartition(".")[2], FaultCode.UNAVAILABLE), hint)


def of_aws(code: str, status: int, hint: str = "") -> FaultCode:
    """Of the code of an error of AWS, and of its HTTP status where the code is not known."""
    known = _AWS.get(code)
    if known is None:
        return of_status(status, hint)
    if known is FaultCode.MALFORMED and speaks_of_something_missing(hint):
        return FaultCode.NOT_FOUND
    return known


def failed(code: FaultCode, origin: str = "", sentence: str | None = None) -> CallFailed:
    """The failure in our words. origin: what says so, such as `HTTP 401`; never a provider's text."""
    words = sentence or _SENTENCES[code]
    return CallFailed(code, f"{words} ({origin})" if origin else words)


def failed_status(status: int, hint: str = "", sorting: Sorting | None = None) -> CallFailed:
    """The failure that an HTTP status tells of."""
    if 300 <= status < 400:
        return failed(
            FaultCode.MALFORMED, f"HTTP {status}", "redirects are not followed; give the address they lead to"
        )
    code = of_status(status, hint)
    return failed((sorting or {}).get(code, code), f"HTTP {status}")


def speaks_of_something_missing(hint: str) -> bool:
    """Whether a refusal that may mean many things means that a name is not known."""
    return _MISSING.search(hint) is not None


def _by_words(code: FaultCode, hint: str) -> FaultCode:
    if code is FaultCode.REVOKED and _EXPIRED.search(hint):
        return FaultCode.EXPIRED
    if code is FaultCode.OVERLOADED and _QUOTA.search(hint) and not _RATE.search(hint):
        return FaultCode.QUOTA
    return code
