"""Whose keys can be brought: what each provider asks for, can do and costs."""

from __future__ import annotations

from fastapi import APIRouter

from libs.common.providers import cards
from services.gateway import responses
from services.gateway.byok_views import CredentialProvider, CredentialProviderPage, today
from services.gateway.gateway import Asking

router = APIRouter(prefix="/api/v1", tags=["Credentials"])


@router.get("/credential-providers", summary="List providers", responses=responses.errors())
async def list_credential_providers(_: Asking) -> CredentialProviderPage:
    """Everything that a form needs to ask for a key: fields, a JSON Schema, limits, prices with their source,
    and models with the day on which they are retired. `onnx` is the platform itself, for comparison.
    """
    return CredentialProviderPage(items=tuple(CredentialProvider.of(card, today()) for card in cards()))
