"""Whose keys can be brought: what each provider asks for, can do and costs."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from fastapi.responses import Response

from libs.common.contracts.access import Permission
from libs.common.providers import cards
from services.gateway import responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.byok_views import CredentialProvider, CredentialProviderPage, today
from services.gateway.gateway import Asking

router = guarded_router(prefix="/api/v1", tags=["Credentials"])


@router.get(
    "/credential-providers",
    summary="List providers",
    response_model=CredentialProviderPage,
    responses=responses.errors(),
    openapi_extra=needs(Permission.CREDENTIALS_READ),
)
async def list_credential_providers(_: Asking) -> Response:
    """Everything that a form needs to ask for a key: fields, a JSON Schema, limits, prices with their source,
    and models with the day on which they are retired. `onnx` is the platform itself, for comparison.
    """
    return Response(_page(today()), media_type="application/json")


@lru_cache(maxsize=2)
def _page(day: date) -> bytes:
    """The same for everybody all day, and large: it is written once."""
    page = CredentialProviderPage(items=tuple(CredentialProvider.of(card, day) for card in cards()))
    return page.model_dump_json(by_alias=True).encode()
