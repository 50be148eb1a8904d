"""The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0), beyond what the framework knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from libs.common.contracts.batch import BatchOptions
from libs.common.contracts.options import RenderOptions
from services.gateway import examples
from services.gateway.auth.cookies import SESSION_COOKIE
from services.gateway.auth.guard import PERMISSION
from services.gateway.auth.paths import PUBLIC_PATHS
from services.gateway.custom_model_views import NewModel
from services.gateway.human_model_views import NewHumanModel
from services.gateway.idempotency import REPLAYED
from services.gateway.problems import Problem

Json = dict[str, Any]

DESCRIPTION = """Ghost-mannequin product images: send photos of garments on a mannequin, get them
back without it.

Send one photo to `POST /api/v1/images`, or a ZIP of hundreds to `POST /api/v1/batch/process`, and hear from a
signed webhook when it is done. The whole guide is at `/docs`."""

TAGS = [
    {"name": "Images", "description": "One photo, most often answered with its result at once."},
    {"name": "Batches", "description": "A ZIP of photos: progress, results, cancelling and retrying."},
    {"name": "Human models", "description": "People of yours who wear the garments, with their consent."},
    {"name": "Webhooks", "description": "Being told by a signed message when a batch has ended."},
    {"name": "Credentials", "description": "Keys of your own: images are computed on your account."},
    {
        "name": "Routing and usage",
        "description": "Whose account computes your images, and at what cost.",
    },
    {
        "name": "Custom models",
        "description": "ONNX models of your own: checked, tried out on a share, rolled back.",
    },
    {"name": "Export and erasure", "description": "Taking everything out, and having it removed for good."},
    {"name": "Audit log", "description": "What was done, by whom and from where; tampering shows."},
    {"name": "Branding", "description": "Your own look, at hosts of your own."},
    {"name": "Tenant", "description": "Your own tenant: its name, how it stands, and its plan."},
    {"name": "API keys", "description": "For programs: scopes, an end, where from, rotation with overlap."},
    {"name": "Signing in", "description": "How people come in and go."},
    {"name": "Me", "description": "Your own profile, password, two-factor sign-in and sessions."},
    {"name": "Members", "description": "Who is in the tenant, and who was asked to come."},
    {"name": "Single sign-on", "description": "By your own identity provider (OpenID Connect)."},
    {"name": "Platform staff", "description": "The platform's own people; no key of a tenant opens it."},
    {"name": "Platform tenants", "description": "All tenants: made, changed, suspended, resumed."},
    {"name": "Platform plans", "description": "What is sold: entitlements, quotas and prices, as data."},
    {"name": "Platform usage", "description": "What tenants use, cost and bring in."},
    {"name": "Platform health", "description": "Keys and webhook endpoints of all tenants."},
    {"name": "Service", "description": "The service itself."},
]
SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token of `POST /api/v1/auth/token`, or an API key as it is (`im_live_…`).",
    },
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": "Of somebody who is signed in; what changes something must come from a page of this "
        "host.",
    },
    "client": {
        "type": "http",
        "scheme": "basic",
        "description": "OAuth 2.0 client authentication: the id of an API key, and the whole key.",
    },
}
HEADERS: Json = {
    "RequestId": {"description": "Name of this request in our logs.", "schema": {"type": "string"}},
    "RateLimitPolicy": {
        "description": "Requests that may be sent at once (q), and seconds in which they grow back (w).",
        "schema": {"type": "string"},
        "example": '"key";q=500;w=5',
    },
    "RateLimit": {
        "description": "Requests that are left (r), and seconds until all are there again (t).",
        "schema": {"type": "string"},
        "example": '"key";r=499;t=1',
    },
    "Route": {
        "description": "The provider that computed the image; `;fallback` if a key of yours should have.",
        "schema": {"type": "string"},
        "example": "open-inference",
    },
    "Payer": {
        "description": "Whose account it was on.",
        "schema": {"type": "string", "enum": ["tenant", "platform"]},
    },
    "Credential": {"description": "The key that it was computed on.", "schema": {"type": "string"}},
    "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    "IdempotentReplayed": {
        "description": "`true` if this answer was given before, to the same request.",
        "schema": {"type": "string"},
    },
}


def install(app: FastAPI, server: str | None) -> None:
    """Make `app.openapi` give the completed document. server: the public address, relative if None."""

    def openapi() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = document(app, server)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # how FastAPI wants it done


def document(app: FastAPI, server: str | None) -> Json:
    """The document of the application's routes."""
    made = get_openapi(
        title=app.title,
        version=app.version,
        summary="Ghost-mannequin product images",
        description=DESCRIPTION,
        routes=app.routes,
        tags=TAGS,
        servers=[{"url": server or "/"}],
    )
    components = made["components"]
    components["schemas"].update(_schemas())
    for name in ("RenderOptions", "BatchOptions"):
        components["schemas"][name]["examples"] = [examples.OPTIONS]
    components |= {"securitySchemes": SECURITY_SCHEMES, "headers": HEADERS}
    made["security"] = [{"bearer": []}, {"apiKey": []}, {"session": []}]
    for path, _, operation in operations(made):
        if path in PUBLIC_PATHS:
            operation["security"] = []
        if permission := operation.get(PERMISSION):
            operation["description"] += f"\n\nNeeds the permission `{permission}`."
        _complete(operation)
    return made


def operations(made: Json) -> Iterator[tuple[str, str, Json]]:
    """Every operation of a document, with its path and its method in lower case."""
    for path, item in made["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def _schemas() -> Json:
    models: Any = [
        (Problem, "serialization"),
        (RenderOptions, "validation"),
        (BatchOptions, "validation"),
        (NewHumanModel, "validation"),
        (NewModel, "validation"),
    ]
    _, schema = models_json_schema(models, ref_template="#/components/schemas/{model}")
    definitions: Json = schema["$defs"]
    return definitions


def _complete(operation: Json) -> None:
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])
    keyed = "idempotency-key" in {one["name"].lower() for one in operation.get("parameters", ())}
    for status, response in operation["responses"].items():
        names = ["RequestId"] if "security" in operation else ["RequestId", "RateLimitPolicy", "RateLimit"]
        names += ["RetryAfter"] if status in ("429", "503") else []
        names += ["IdempotentReplayed"] if keyed and status[0] == "2" else []
        response.setdefault("headers", {}).update(
            {_WIRE[name]: {"$ref": f"#/components/headers/{name}"} for name in names}
        )


_WIRE = {
    "RequestId": "X-Request-ID",
    "RateLimitPolicy": "RateLimit-Policy",
    "RateLimit": "RateLimit",
    "RetryAfter": "Retry-After",
    "IdempotentReplayed": next(iter(REPLAYED)),
}


def _without_null(schema: Json) -> Json:
    """A parameter is absent or has a value: it can't be null in a URL or a header."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name != "anyOf"}, **kinds[0]}
