"""Requests to the token endpoints as OAuth 2.0 has them: forms, client authentication, and its own errors.

Source: RFC 6749 (2.3.1, 4.4, 5.1, 5.2) and RFC 7009.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Mapping
from typing import Literal
from urllib.parse import parse_qsl, unquote_plus

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from libs.common.api_keys import parse
from libs.common.contracts.access import AnyPermission
from services.gateway.errors import UnsupportedMedia

FORM = "application/x-www-form-urlencoded"
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
SESSION_GRANT = "urn:mannequin:params:oauth:grant-type:session"
"""A grant of our own (RFC 6749, 4.5): whoever is signed in gets a token of the same session."""
_MOST_FIELDS = 20
ErrorCode = Literal[
    "invalid_request", "invalid_client", "invalid_scope", "unauthorized_client", "unsupported_grant_type"
]


class OAuthError(BaseModel):
    """What went wrong, as RFC 6749, 5.2 has it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"error": "invalid_client", "error_description": "The client secret is not a key."}]
        }
    )

    error: ErrorCode
    error_description: str = Field(description="For people.")


class OAuthRefusal(Exception):
    """Answered as an OAuthError: 401 for a client that could not show who it is, else 400."""

    def __init__(self, error: ErrorCode, description: str) -> None:
        super().__init__(description)
        self.error: ErrorCode = error

    def response(self) -> JSONResponse:
        body = OAuthError(error=self.error, error_description=str(self))
        client = self.error == "invalid_client"
        challenge = {"WWW-Authenticate": 'Basic realm="mannequin", charset="UTF-8"'} if client else {}
        return JSONResponse(body.model_dump(), 401 if client else 400, headers=NO_STORE | challenge)


class Client(BaseModel):
    """What a client shows: the id of its API key (either of the two), and the key itself."""

    model_config = ConfigDict(frozen=True)

    id: str
    secret: str = Field(repr=False)


async def form(request: Request) -> dict[str, str]:
    """The fields of the body. OAuthRefusal if one comes twice (RFC 6749, 3.2), UnsupportedMedia."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != FORM:
        raise UnsupportedMedia(given, (FORM,))
    try:
        text = (await request.body()).decode()
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise OAuthRefusal("invalid_request", "The body is no form, or has too many fields.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise OAuthRefusal("invalid_request", "A field comes more than once.")
    if "\0" in text or "%00" in text:
        raise OAuthRefusal("invalid_request", "A field holds a character that none may hold.")
    return fields


def client_of(request: Request, fields: Mapping[str, str]) -> Client | None:
    """The client, by HTTP Basic or by two fields, not both; None if it shows neither. OAuthRefusal."""
    in_form = Client(id=fields.get("client_id", ""), secret=fields.get("client_secret", ""))
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return in_form if in_form.secret else None
    if in_form.secret:
        raise OAuthRefusal("invalid_request", "The client shows who it is in two ways at once.")
    try:
        user, colon, password = b64decode(credentials.strip(), validate=True).decode().partition(":")
    except ValueError:
        raise OAuthRefusal("invalid_client", "The Basic credentials can't be read.") from None
    if not colon:
        raise OAuthRefusal("invalid_client", "The Basic credentials have no secret.")
    return Client(id=unquote_plus(user), secret=unquote_plus(password))


def public_id(secret: str) -> str | None:
    """The visible part of an API key; None for what is none."""
    parsed = parse(secret)
    return parsed.public_id if parsed else None


def narrowed(asked: str | None, held: Iterable[AnyPermission]) -> list[AnyPermission]:
    """The permissions that a token gets: those that are asked for, or all. OAuthRefusal for any other."""
    have = {permission.value: permission for permission in held}
    if not asked:
        return sorted(have.values())
    wanted = dict.fromkeys(asked.split())
    if beyond := [one for one in wanted if one not in have]:
        named = ", ".join(beyond[:5])
        raise OAuthRefusal("invalid_scope", f"The caller does not have: {named[:200]}.")
    return [have[one] for one in wanted]
