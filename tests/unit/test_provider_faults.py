"""What a provider's refusal means."""

from __future__ import annotations

import grpc
import pytest

from libs.common.contracts.providers import FaultCode, FaultKind
from services.inference.providers import faults

EXPIRED_TOKEN = 'Bearer error="invalid_token", error_description="The access token expired"'


@pytest.mark.parametrize(
    ("status", "hint", "code"),
    [
        (301, "", FaultCode.MALFORMED),
        (400, "", FaultCode.BAD_PICTURE),
        (401, "", FaultCode.REVOKED),
        (401, EXPIRED_TOKEN, FaultCode.EXPIRED),
        (402, "", FaultCode.BILLING),
        (403, "", FaultCode.NO_PERMISSION),
        (404, "", FaultCode.NOT_FOUND),
        (405, "", FaultCode.NOT_FOUND),
        (408, "", FaultCode.TIMEOUT),
        (410, "", FaultCode.RETIRED),
        (413, "", FaultCode.BAD_PICTURE),
        (415, "", FaultCode.BAD_PICTURE),
        (418, "", FaultCode.BAD_ANSWER),
        (422, "", FaultCode.BAD_PICTURE),
        (429, "", FaultCode.OVERLOADED),
        (429, "Rate limit of your plan: 60 requests per minute", FaultCode.OVERLOADED),
        (429, "You exceeded your current quota", FaultCode.QUOTA),
        (429, '{"code": "insufficient_quota"}', FaultCode.QUOTA),
        (429, "monthly limit reached", FaultCode.QUOTA),
        (451, "", FaultCode.REFUSED_PICTURE),
        (500, "quota", FaultCode.UNAVAILABLE),
        (502, "", FaultCode.UNAVAILABLE),
        (503, "", FaultCode.UNAVAILABLE),
        (504, "", FaultCode.TIMEOUT),
        (529, "", FaultCode.OVERLOADED),
        (599, "", FaultCode.UNAVAILABLE),
    ],
)
def test_an_http_status_is_sorted(status: int, hint: str, code: FaultCode) -> None:
    """By the number, and by words where one number stands for two things."""
    assert faults.of_status(status, hint) is code


@pytest.mark.parametrize("status", range(300, 600))
def test_every_status_that_is_no_success_has_a_meaning(status: int) -> None:
    """Faults of servers are never the key's: a proxy's bad day must not fail a good key."""
    kind = faults.of_status(status).kind
    if status >= 500 and status != 501:
        assert kind is FaultKind.PROVIDER


@pytest.mark.parametrize(
    ("status", "hint", "code"),
    [
        ("UNAUTHENTICATED", "", FaultCode.REVOKED),
        ("StatusCode.UNAUTHENTICATED", "token has expired", FaultCode.EXPIRED),
        ("StatusCode.PERMISSION_DENIED", "", FaultCode.NO_PERMISSION),
        ("StatusCode.NOT_FOUND", "", FaultCode.NOT_FOUND),
        ("StatusCode.UNIMPLEMENTED", "", FaultCode.NOT_FOUND),
        ("StatusCode.RESOURCE_EXHAUSTED", "", FaultCode.OVERLOADED),
        ("StatusCode.RESOURCE_EXHAUSTED", "quota exceeded", FaultCode.QUOTA),
        ("StatusCode.RESOURCE_EXHAUSTED", "Received message larger than max (9 vs. 4)", FaultCode.BAD_ANSWER),
        ("StatusCode.INVALID_ARGUMENT", "", FaultCode.BAD_PICTURE),
        ("StatusCode.DEADLINE_EXCEEDED", "", FaultCode.TIMEOUT),
        ("StatusCode.UNAVAILABLE", "", FaultCode.UNAVAILABLE),
        ("StatusCode.INTERNAL", "", FaultCode.UNAVAILABLE),
        ("", "", FaultCode.UNAVAILABLE),
    ],
)
def test_a_grpc_code_is_sorted(status: str, hint: str, code: FaultCode) -> None:
    """As gRPC's own guide explains the codes."""
    assert faults.of_grpc(status, hint) is code


def test_every_grpc_code_but_ok_is_known() -> None:
    """A new one would be taken for the provider's fault."""
    named = {code.name for code in grpc.StatusCode} - {"OK", "ALREADY_EXISTS"}
    assert named == set(faults._GRPC)


@pytest.mark.parametrize(
    ("name", "status", "hint", "code"),
    [
        ("InvalidClientTokenId", 403, "", FaultCode.REVOKED),
        ("UnrecognizedClientException", 403, "", FaultCode.REVOKED),
        ("SignatureDoesNotMatch", 403, "", FaultCode.REVOKED),
        ("ExpiredTokenException", 403, "", FaultCode.EXPIRED),
        ("AccessDeniedException", 403, "", FaultCode.NO_PERMISSION),
        ("OptInRequired", 403, "", FaultCode.BILLING),
        ("ServiceQuotaExceededException", 402, "", FaultCode.QUOTA),
        ("ThrottlingException", 400, "", FaultCode.OVERLOADED),
        ("ValidationError", 400, "Endpoint x of account 1 not found.", FaultCode.NOT_FOUND),
        ("ValidationError", 400, "Request has exceeded the maximum size", FaultCode.MALFORMED),
        ("InternalFailure", 500, "", FaultCode.UNAVAILABLE),
        ("ModelNotReadyException", 429, "", FaultCode.UNAVAILABLE),
        ("SomethingNew", 503, "", FaultCode.UNAVAILABLE),
        ("SomethingNew", 401, "", FaultCode.REVOKED),
    ],
)
def test_an_error_of_aws_is_sorted(name: str, status: int, hint: str, code: FaultCode) -> None:
    """By its code, and by its status where AWS invents another."""
    assert faults.of_aws(name, status, hint) is code


@pytest.mark.parametrize("code", FaultCode)
def test_every_fault_has_a_sentence_of_ours(code: FaultCode) -> None:
    """So that no provider has to be quoted."""
    assert faults.failed(code, "HTTP 418").fault.detail.endswith(" (HTTP 418)")


def test_a_provider_may_mean_something_else_by_a_status() -> None:
    """The hint decides the code and is not repeated."""
    failed = faults.failed_status(413, "secret", {FaultCode.BAD_PICTURE: FaultCode.MALFORMED})
    assert failed.fault.code is FaultCode.MALFORMED
    assert "secret" not in str(failed)
