"""Errors as RFC 9457 problem documents (https://www.rfc-editor.org/rfc/rfc9457)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from libs.common.contracts.quotas import QuotaHit
from libs.common.errors import Denied, MannequinError, Refusal
from libs.common.telemetry import logger
from services.gateway.errors import (
    Forbidden,
    MalformedBody,
    RangeNotSatisfiable,
    TokenExpired,
    TokenInvalid,
    TokenRevoked,
    TooManyRequests,
    Unauthorized,
    VaultUnavailable,
)
from services.gateway.problem_catalogue import code_of, entry

MEDIA_TYPE = "application/problem+json"
CLIENT_CLOSED = 499
"""For logs and metrics alone: the caller went away before it was answered."""

_CODES = {"extra_forbidden": "unknown_parameter", "json_invalid": "malformed_body"}
_CHALLENGE = 'Bearer realm="mannequin"'
_log = logger("gateway.problems")


class FieldError(BaseModel):
    """One thing that is wrong with the request. `pointer` is a JSON pointer into a JSON body."""

    detail: str
    field: str | None = None
    pointer: str | None = None


class Problem(BaseModel):
    """What went wrong, in a form that programs and people can read (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "/docs#problem-invalid",
                    "title": "Invalid value",
                    "status": 422,
                    "detail": "Input should be less than or equal to 8192",
                    "code": "invalid",
                    "field": "size",
                    "hint": "Correct the named field and send the request again.",
                    "request_id": "req_01hzy3k5v7m9q2w4x6z8b0c1d3",
                    "errors": [{"detail": "Input should be less than or equal to 8192", "field": "size"}],
                }
            ]
        }
    )

    type: str = Field(description="Where the code is explained, relative to the API.")
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable name of the problem, for programs.")
    field: str | None = Field(None, description="Parameter, header or field at fault.")
    hint: str = Field(description="What to do about it.")
    request_id: str | None = Field(None, description="As in X-Request-ID; tell it to support.")
    quota: QuotaHit | None = Field(
        None, description="The limit that was hit, with `quota_exceeded` and `test_quota_exceeded`."
    )
    errors: list[FieldError] | None = Field(None, description="All that is wrong, where it is more than one.")


def problem_response(
    status: int,
    code: str,
    detail: str,
    *,
    request_id: str | None,
    field: str | None = None,
    errors: Sequence[FieldError] = (),
    quota: QuotaHit | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that tells of a problem."""
    known = entry(code, status)
    problem = Problem(
        type=f"/docs#problem-{code}",
        title=known.title,
        status=status,
        detail=detail,
        code=code,
        field=field,
        hint=known.hint,
        request_id=request_id,
        quota=quota,
        errors=list(errors) or None,
    )
    content = problem.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def of_error(error: MannequinError, request_id: str | None) -> Response:
    """A Refusal as it says; whatever else crosses a seam is a 503 that tells nothing of the inside."""
    if isinstance(error, Refusal):
        return problem_response(
            error.status,
            error.code,
            error.detail,
            request_id=request_id,
            field=error.field,
            quota=error.quota,
            headers=_headers(error),
        )
    _log.warning("unavailable", reason=error.detail)
    detail = "A part of the service does not answer at the moment."
    return problem_response(503, "unavailable", detail, request_id=request_id, headers={"Retry-After": "1"})


def internal(request_id: str | None) -> Response:
    """For an error that nobody expected."""
    return problem_response(500, "internal", "Something went wrong on our side.", request_id=request_id)


def handlers() -> dict[Any, Any]:
    """Exception handlers for the application."""
    return {
        MannequinError: _mannequin_error,
        RequestValidationError: _validation_error,
        HTTPException: _http_exception,
        ClientDisconnect: _client_gone,
    }


def _headers(error: Refusal) -> dict[str, str]:
    match error:
        case TooManyRequests():
            return {"Retry-After": str(error.retry_after)}
        case RangeNotSatisfiable():
            return {"Content-Range": f"bytes */{error.size}"}
        case VaultUnavailable():
            return {"Retry-After": "10"}
        case Unauthorized() | Denied() | Forbidden():
            return {"WWW-Authenticate": challenge(error)}
        case _:
            return {"Retry-After": str(error.retry_after)} if error.retry_after else {}


def challenge(error: Refusal) -> str:
    """The value of WWW-Authenticate (RFC 6750, 3): with no error where there was no credential."""
    match error:
        case Forbidden():
            return f'{_CHALLENGE}, error="insufficient_scope", scope="{error.permission}"'
        case TokenInvalid() | TokenExpired() | TokenRevoked():
            return f'{_CHALLENGE}, error="invalid_token", error_description="{error.detail}"'
        case _:
            return _CHALLENGE


def _id(request: Request) -> str | None:
    request_id: str | None = request.scope.get("request_id")
    return request_id


async def _mannequin_error(request: Request, error: MannequinError) -> Response:
    return of_error(error, _id(request))


async def _validation_error(request: Request, error: RequestValidationError) -> Response:
    return invalid(error.errors(), _id(request))


async def _http_exception(request: Request, error: HTTPException) -> Response:
    if error.status_code == 400:  # how the framework calls a JSON body that is not even text
        return await _mannequin_error(request, MalformedBody())
    return problem_response(
        error.status_code,
        code_of(error.status_code),
        str(error.detail),
        request_id=_id(request),
        headers=error.headers,
    )


async def _client_gone(request: Request, error: ClientDisconnect) -> Response:
    return Response(status_code=CLIENT_CLOSED)


def invalid(errors: Sequence[Mapping[str, Any]], request_id: str | None) -> Response:
    """Pydantic's errors as one problem; the first names the field, all are listed."""
    found = [field_error(error) for error in errors]
    code = _CODES.get(errors[0]["type"], "invalid")
    first = found[0]
    return problem_response(422, code, first.detail, request_id=request_id, field=first.field, errors=found)


def field_error(error: Mapping[str, Any]) -> FieldError:
    """One of pydantic's errors, without the value that was given."""
    place, *path = [str(part) for part in error["loc"]] or [""]
    name = ".".join(path) or None
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = f"There is no parameter {name!r} here."
    if error["type"] == "json_invalid":
        return FieldError(detail="The body is not valid JSON.")
    pointer = "/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in path)
    return FieldError(detail=message, field=name, pointer=pointer if place == "body" and path else None)
