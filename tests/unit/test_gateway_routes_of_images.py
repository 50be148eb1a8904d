"""Who computed an image and on whose account, wherever an image is shown."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from libs.common.contracts.batch import Image, ImageStatus
from libs.common.contracts.ids import BatchId, CredentialId, ImageId
from libs.common.contracts.providers import Payer, ProviderName, RouteTaken
from libs.common.objects import Objects
from services.gateway import views
from services.gateway.downloads import result_response
from services.gateway.manifest import manifest, packed
from services.gateway.views import Links
from tests.unit.test_gateway_results import BATCH

CREDENTIAL = CredentialId.new()
OWN = RouteTaken(
    provider=ProviderName.AWS_SAGEMAKER,
    payer=Payer.TENANT,
    credential_id=CREDENTIAL,
    reason="the tenant's own key",
    cost=Decimal("0.002000"),
)
FALLEN_BACK = RouteTaken(provider=ProviderName.ONNX, payer=Payer.PLATFORM, fallback=True, reason="key failed")
LINKS = Links("http://api.test")


def image(**changes: Any) -> Image:
    fields: dict[str, Any] = {
        "id": ImageId.new(),
        "batch_id": BatchId.new(),
        "position": 0,
        "name": "a.jpg",
        "status": ImageStatus.COMPLETED,
        "result_key": "k",
        "size": 1,
        "sha256": "0" * 64,
    }
    return Image.model_validate(fields | changes)


@pytest.mark.parametrize(
    ("route", "told"),
    [
        (OWN, ("aws-sagemaker", "tenant", CREDENTIAL)),
        (FALLEN_BACK, ("onnx;fallback", "platform", None)),
        (None, (None, None, None)),
    ],
)
def test_headers_of_a_result_tell_its_route(
    route: RouteTaken | None, told: tuple[str | None, ...], tmp_path: Path
) -> None:
    """A fallback is never silent."""
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    response = result_response(image(route=route), Request(scope), Objects(tmp_path.as_uri()))
    headers = ("X-Mannequin-Route", "X-Mannequin-Payer", "X-Mannequin-Credential")
    assert tuple(response.headers.get(name) for name in headers) == told


def test_the_image_and_the_manifest_show_route_reason_and_cost() -> None:
    """The cost as text, to the last digit."""
    shown = views.Image.of(image(route=OWN), LINKS).model_dump(mode="json")["route"]
    assert shown == {
        "provider": "aws-sagemaker",
        "payer": "tenant",
        "credential_id": CREDENTIAL,
        "fallback": False,
        "reason": "the tenant's own key",
        "cost": "0.002000",
    }
    one = image(route=OWN)
    assert manifest(BATCH, [one], packed([one]), LINKS)["images"][0]["route"] == shown


def test_an_image_that_waits_for_a_route_says_why() -> None:
    """In words."""
    waiting = image(status=ImageStatus.WAITING, parked="no key that works, and no falling back")
    assert views.Image.of(waiting, LINKS).parked == "no key that works, and no falling back"
