"""Requests made up from the OpenAPI document, fitting and not, get answers that the document promises."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CheckFunction
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from deploy.local.demo.account import make_enterprise_account
from tests.servers.keys import stored_key
from tests.servers.photos import jpegs, numbered, zipped
from tests.servers.system import System
from tests.unit.gateway_app import api_document

Case = schemathesis.Case[Any]
EXAMPLES = 15
BEYOND_A_SCHEMA = (
    "/api/v1/batch/process",
    "/api/v1/images",
    "/api/v1/webhook-endpoints",
    "/api/v1/credentials",
    "/api/v1/credentials/{credential_id}",
    "/api/v1/credentials/{credential_id}/secret",
    "/api/v1/usage",
    "/api/v1/usage/savings",
)
APART = "/api/v1/routing-policy"
"""Asked for by a tenant of its own: a policy that was made up would have all images of the others wait."""


@dataclass
class Target:
    """The API with a key, and things of the key's tenant to ask for."""

    url: str
    headers: dict[str, str]
    apart: dict[str, str]
    ids: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def target(system: System) -> Iterator[Target]:
    """A tenant with a batch that has ended, an endpoint with a delivery, and a key of its own."""
    made = Target(system.api_url, *(_headers(system, name) for name in ("made up", "apart")))
    with httpx.Client(base_url=made.url, headers=made.headers, timeout=60) as client:
        zip_type = {"content-type": "application/zip"}
        more: dict[str, str | bool] = {"artefacts": True, "renditions": '[{"name": "thumb", "size": 64}]'}
        batch = client.post(
            "/api/v1/batch/process", content=zipped(numbered(jpegs(2))), headers=zip_type, params=more
        ).json()
        client.get(f"/api/v1/batches/{batch['id']}/events")  # ends with the batch
        images = client.get(f"/api/v1/batches/{batch['id']}/images").json()["items"]
        endpoint = client.post("/api/v1/webhook-endpoints", json={"url": "http://127.0.0.1:9/"}).json()
        delivery = client.post(f"/api/v1/webhook-endpoints/{endpoint['id']}/test").json()
        made.ids = {
            "credential_id": stored_key(client)["id"],
            "batch_id": batch["id"],
            "image_id": images[0]["id"],
            "rendition": images[0]["renditions"][0]["name"],
            "artefact": images[0]["artefacts"][0]["name"],
            "endpoint_id": endpoint["id"],
            "delivery_id": delivery["id"],
        }
        yield made


def _headers(system: System, name: str) -> dict[str, str]:
    account = asyncio.run(make_enterprise_account(system.supervisor.addresses, name))
    # Capitals and all: by that name the checks take it away to see whether it is missed.
    return {"Authorization": f"Bearer {account.key.get_secret_value()}"}


def _schema() -> Any:
    config = schemathesis.Config()
    config.projects.default.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    return schemathesis.openapi.from_dict(api_document(), config=config)


def _can_be_wrong(operation: Any) -> bool:
    return bool(list(operation.iter_parameters()) or operation.body)


OPERATIONS = {result.ok().label: result.ok() for result in _schema().get_all_operations()}
MADE_UP = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


WAYS = [
    (label, mode)
    for label, operation in OPERATIONS.items()
    for mode in GenerationMode
    if mode.is_positive or _can_be_wrong(operation)
]


@pytest.mark.parametrize(("operation", "mode"), WAYS)
def test_answers_are_as_documented(operation: str, mode: GenerationMode, target: Target) -> None:
    """Status, media type, headers and body; what does not fit is refused, what fits is taken."""

    @MADE_UP
    @given(case=OPERATIONS[operation].as_strategy(generation_mode=mode))
    def answers(case: Case) -> None:
        _point_at_real_things(case, mode, target)
        case.call_and_validate(
            base_url=target.url,
            headers=target.apart if case.path == APART else target.headers,
            excluded_checks=_beside_the_point(case),
            timeout=70,
        )

    answers()


def _point_at_real_things(case: Case, mode: GenerationMode, target: Target) -> None:
    """Ids that are made up lead to nothing, and idempotency keys come again: both are replaced."""
    if not mode.is_positive:
        return
    if "idempotency-key" in case.headers:
        case.headers["idempotency-key"] = str(uuid.uuid4())
    if case.method != "DELETE":
        for name in set(case.path_parameters) & set(target.ids):
            case.path_parameters[name] = target.ids[name]


def _beside_the_point(case: Case) -> list[CheckFunction]:
    """A made-up file is no picture, a made-up cursor leads nowhere, and no provider has made-up fields."""
    fits_no_schema = case.path in BEYOND_A_SCHEMA or "cursor" in (case.query or {})
    return [checks.positive_data_acceptance] if fits_no_schema else []
