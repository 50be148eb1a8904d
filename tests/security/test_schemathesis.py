"""Requests made up from the OpenAPI document, fitting and not, get answers that the document promises."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CheckFunction
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from deploy.local.demo.account import make_enterprise_account
from libs.common.contracts.access import Role, StaffRole
from tests.security.things import things_of
from tests.servers.counted import CASES
from tests.servers.system import System
from tests.servers.tokens import Badge, member, staff
from tests.unit.gateway_app import api_document

Case = schemathesis.Case[Any]
EXAMPLES = 10
SLOW_EXAMPLES = 3
SLOW = ("/api/v1/credentials/{credential_id}/verify", "/api/v1/credentials/{credential_id}/secret")
"""Each of them waits until it is clear that the provider, which is not there, does not answer."""
BEYOND_A_SCHEMA = (
    "/api/v1/batch/process",
    "/api/v1/images",
    "/api/v1/human-models",
    "/api/v1/human-models/{model_id}",
    "/api/v1/webhook-endpoints",
    "/api/v1/credentials",
    "/api/v1/credentials/{credential_id}",
    "/api/v1/credentials/{credential_id}/secret",
    "/api/v1/usage",
    "/api/v1/usage/savings",
    "/api/v1/tenant/branding",
    "/api/v1/tenant/branding/logo",
    "/api/v1/tenant/branding/favicon",
    "/api/v1/tenant/domains",
    "/api/v1/auth/invites/accept",
    "/api/v1/auth/password/reset",
    "/api/v1/invites",
    "/api/v1/platform/staff",
    "/api/v1/platform/tenants/{tenant_id}/invites",
    "/api/v1/sso",
    "/api/v1/auth/token",
    "/api/v1/auth/revoke",
    "/api/v1/tenant",
    "/api/v1/tenant/erase",
    "/api/v1/api-keys",
    "/api/v1/api-keys/{key_id}",
    "/api/v1/api-keys/{key_id}/rotate",
    "/api/v1/custom-models",
    "/api/v1/platform/tenants",
    "/api/v1/platform/tenants/{tenant_id}",
    "/api/v1/platform/tenants/{tenant_id}/plan",
    "/api/v1/platform/tenants/{tenant_id}/erase",
    "/api/v1/platform/plans/{code}",
    "/api/v1/platform/usage",
    "/api/v1/platform/margins",
    "/api/v1/platform/tenants/{tenant_id}/usage",
    "/api/v1/platform/tenants/{tenant_id}/savings",
)
"""What a schema can't say: a made-up file is no picture, a made-up address no network, a made-up period ends
before it begins. There only what does not fit has to be refused as it is documented.
"""
APART = (
    "/api/v1/routing-policy",
    "/api/v1/custom-models/rollout",
    "/api/v1/custom-models/rollback",
    "/api/v1/tenant/erase",
    "/api/v1/sso",
)
"""Asked for by an owner of another tenant: what was made up would stand in the way of all that follows."""


@dataclass
class Target:
    """The API, who asks, and things of its tenant to ask for."""

    url: str
    owner: Badge
    apart: Badge
    staff: Badge
    ids: dict[str, str]

    def headers(self, path: str) -> dict[str, str]:
        """Of whoever may ask there; by an owner of its own what would be in the way of all other requests."""
        if path.startswith("/api/v1/platform/"):
            return self.staff.headers
        return (self.apart if path in APART else self.owner).headers


@pytest.fixture(scope="module")
def target(system: System) -> Target:
    """A tenant that has one of everything; another one, and one of the platform's people, who ask as well."""
    addresses, things = system.supervisor.addresses, things_of(system, "made up")
    account = asyncio.run(make_enterprise_account(addresses, "apart"))
    apart = member(addresses, account.tenant, Role.OWNER)
    return Target(system.api_url, things.owner, apart, staff(addresses, StaffRole.ADMIN), things.ids)


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

    @_made_up(OPERATIONS[operation].path)
    @given(case=OPERATIONS[operation].as_strategy(generation_mode=mode))
    def answers(case: Case) -> None:
        CASES["schemathesis requests"] += 1
        _point_at_real_things(case, mode, target)
        case.call_and_validate(
            base_url=target.url,
            headers=target.headers(case.path),
            excluded_checks=_beside_the_point(case),
            timeout=70,
        )

    answers()


def _made_up(path: str) -> settings:
    return settings(MADE_UP, max_examples=SLOW_EXAMPLES) if path in SLOW else MADE_UP


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
