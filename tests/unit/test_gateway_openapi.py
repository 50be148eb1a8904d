"""The OpenAPI document and the page that is made from it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import BaseModel

from libs.common.contracts.options import RenderOptions
from services.gateway import (
    byok_examples,
    byok_views,
    credential_bodies,
    examples,
    people_bodies,
    people_views,
    views,
)
from services.gateway.auth.paths import PUBLIC_PATHS
from services.gateway.docs.page import render
from services.gateway.openapi import operations
from tests.unit.gateway_app import api_document, offline_app

OPERATIONS = {f"{method} {path}": (path, operation) for path, method, operation in operations(api_document())}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_described(name: str) -> None:
    """In words, with its errors as problems and with how to authenticate."""
    path, operation = OPERATIONS[name]
    assert operation["summary"]
    assert len(operation["description"]) > 10
    if path in PUBLIC_PATHS:
        assert operation["security"] == []
        return
    for status in ("401", "422", "429", "500", "503"):
        assert "application/problem+json" in operation["responses"][status]["content"]


@pytest.mark.parametrize(
    "name",
    [name for name, (path, _) in OPERATIONS.items() if name.startswith("post") and path not in PUBLIC_PATHS],
)
def test_every_post_takes_an_idempotency_key(name: str) -> None:
    """And says whether an answer is a repeat. At the doors there is nobody yet whose key it could be."""
    _, operation = OPERATIONS[name]
    assert "idempotency-key" in {parameter["name"].lower() for parameter in operation["parameters"]}
    good = next(response for status, response in operation["responses"].items() if status[0] == "2")
    assert "Idempotent-Replayed" in good["headers"]


def test_the_document_is_openapi_3_1_and_all_references_lead_somewhere() -> None:
    """A dangling one breaks every generator of clients."""
    document = api_document()
    assert document["openapi"].startswith("3.1")
    for reference in set(re.findall(r"'\$ref': '#/([^']+)'", str(document))):
        place: Any = document
        for step in reference.split("/"):
            place = place[step]


def test_every_option_of_a_render_is_a_parameter_of_both_uploads() -> None:
    """An option that is added later is there by itself."""
    for name in ("post /api/v1/batch/process", "post /api/v1/images"):
        named = {parameter["name"] for parameter in OPERATIONS[name][1]["parameters"]}
        assert named >= set(RenderOptions.model_fields)


def test_examples_are_valid() -> None:
    """By the models that they stand for."""
    views.Batch.model_validate(examples.BATCH)
    views.Image.model_validate(examples.IMAGE)
    views.Endpoint.model_validate(examples.ENDPOINT)
    views.Delivery.model_validate(examples.DELIVERY)
    RenderOptions.model_validate(examples.OPTIONS)
    byok_views.Credential.model_validate(byok_examples.CREDENTIAL)
    byok_views.Usage.model_validate(byok_examples.USAGE)
    byok_views.Savings.model_validate(byok_examples.SAVINGS)
    byok_views.Estimate.model_validate(byok_examples.ESTIMATE)
    credential_bodies.NewCredential.model_validate(byok_examples.NEW_CREDENTIAL)
    credential_bodies.ChangedTerms.model_validate(byok_examples.TERMS)
    credential_bodies.NewSecret.model_validate(byok_examples.NEW_SECRET)
    credential_bodies.NewPolicy.model_validate(byok_examples.POLICY)


def test_examples_about_people_are_valid() -> None:
    """Of every body and every answer that has one."""
    models = [*vars(people_bodies).values(), *vars(people_views).values()]
    shown = [
        (model, example)
        for model in models
        if isinstance(model, type) and issubclass(model, BaseModel)
        for example in (model.model_config.get("json_schema_extra") or {}).get("examples", ())  # type: ignore[union-attr]
    ]
    assert len(shown) > 20
    for model, example in shown:
        model.model_validate(example)


def test_images_tell_their_route_in_headers_of_the_document() -> None:
    """Wherever a picture is answered, and beside the headers that every answer has."""
    for name in ("post /api/v1/images", "get /api/v1/images/{image_id}/result"):
        headers = OPERATIONS[name][1]["responses"]["200"]["headers"]
        assert {"X-Mannequin-Route", "X-Mannequin-Payer", "X-Mannequin-Credential"} <= set(headers)
        assert "X-Request-ID" in headers


def test_a_replaced_secret_takes_an_idempotency_key() -> None:
    """A PUT of a secret that is sent twice would else push out the secret that can be brought back."""
    _, operation = OPERATIONS["put /api/v1/credentials/{credential_id}/secret"]
    assert "idempotency-key" in {parameter["name"].lower() for parameter in operation["parameters"]}
    assert "Idempotent-Replayed" in operation["responses"]["200"]["headers"]


def test_the_document_names_the_public_address_if_it_is_known() -> None:
    """Otherwise it is relative to where it was fetched."""
    assert (
        offline_app(public_url="https://api.example.com").openapi()["servers"][0]["url"].startswith("https:")
    )
    assert api_document()["servers"][0]["url"] == "/"


def test_the_page_shows_everything_and_loads_nothing() -> None:
    """Every operation, no script, nothing from another address; links within it lead somewhere."""
    page = render(api_document())
    for _, operation in OPERATIONS.values():
        assert f'id="{operation["operationId"]}"' in page
    assert not re.search(r"<script|<link|<img|src=|@import|url\(", page)
    anchors = set(re.findall(r'id=["\']([^"\']+)', page))
    assert set(re.findall(r'href="#([^"]+)', page)) <= anchors
