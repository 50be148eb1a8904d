"""How answers are documented: errors by status, and what is not JSON."""

from __future__ import annotations

from typing import Any

from services.gateway import problems
from services.gateway.downloads import CREDENTIAL_HEADER, PAYER_HEADER, ROUTE_HEADER

_PROBLEM = {"schema": {"$ref": "#/components/schemas/Problem"}}
_MEANINGS = {
    401: "The credential is missing, wrong, expired or revoked.",
    402: "The plan does not hold this, or no more of it.",
    403: "The caller lacks the permission that `x-permission` names.",
    404: "There is no such thing, or it is another tenant's.",
    409: "Not in a state in which this can be done, or the same request is under way.",
    413: "The body is too large.",
    415: "The body is of a type that is not taken here.",
    416: "The range lies outside of the result.",
    422: "Something in the request does not fit; `field` names it.",
    429: "The caller has used up its rate; Retry-After says when to come again.",
    500: "Something went wrong on our side.",
    503: "A part of the service does not answer; Retry-After says when to come again.",
}
ROUTE_HEADERS = {ROUTE_HEADER: "Route", PAYER_HEADER: "Payer", CREDENTIAL_HEADER: "Credential"}
"""Headers that tell of an image's route, and the components that describe them."""

Responses = dict[int | str, dict[str, Any]]


def errors(*statuses: int) -> Responses:
    """Problem documents of these statuses, beside those that every endpoint may answer with."""
    return {
        status: {"description": _MEANINGS[status], "content": {problems.MEDIA_TYPE: _PROBLEM}}
        for status in sorted({401, 403, 422, 429, 500, 503, *statuses})
    }


def content(description: str, *media_types: str) -> dict[str, Any]:
    """An answer that is a file."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {"description": description, "content": dict.fromkeys(media_types, binary)}


def picture(description: str, *media_types: str) -> dict[str, Any]:
    """An answer that is a rendered image, whose headers tell its route."""
    headers = {
        name: {"$ref": f"#/components/headers/{component}"} for name, component in ROUTE_HEADERS.items()
    }
    return {**content(description, *media_types), "headers": headers}


def events(description: str, example: str, **data: str) -> dict[str, Any]:
    """A stream of events; the schema is that of one of them, and `data` names that of each one's data."""
    event = {
        "type": "object",
        "required": ["id", "event", "data"],
        "properties": {
            "id": {"type": "string", "description": "What to resume after."},
            "event": {"type": "string", "enum": list(data)},
            "data": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": {
                    "anyOf": [
                        {"$ref": f"#/components/schemas/{name}"} for name in dict.fromkeys(data.values())
                    ]
                },
            },
        },
    }
    return {
        "description": description,
        "content": {"text/event-stream": {"schema": event, "example": example}},
    }


def upload(options: str, *media_types: str) -> dict[str, Any]:
    """A request body that is either the file itself or a form with `file` and `options`, of that schema."""
    binary = {"schema": {"type": "string", "format": "binary", "minLength": 1}}
    form = {
        "schema": {
            "type": "object",
            "required": ["file"],
            "additionalProperties": False,
            "properties": {
                "file": {"type": "string", "format": "binary", "minLength": 1},
                "options": {"$ref": f"#/components/schemas/{options}"},
            },
        },
        "encoding": {"options": {"contentType": "application/json"}},
    }
    return {
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": form, **dict.fromkeys(media_types, binary)},
        }
    }


def form(model: str, part: str) -> dict[str, Any]:
    """A request body that is a form with `file` and a JSON part of that schema."""
    binary = {"type": "string", "format": "binary", "minLength": 1}
    properties = {"file": binary, part: {"$ref": f"#/components/schemas/{model}"}}
    schema = {
        "type": "object",
        "required": ["file", part],
        "additionalProperties": False,
        "properties": properties,
    }
    encoding = {part: {"contentType": "application/json"}}
    content = {"multipart/form-data": {"schema": schema, "encoding": encoding}}
    return {"requestBody": {"required": True, "content": content}}
