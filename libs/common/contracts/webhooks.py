"""Webhook endpoints and deliveries (owner: the webhooks service)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from libs.common.contracts.ids import DeliveryId, EndpointId, TenantId
from libs.common.contracts.message import Body, Event, Query, Secret


class WebhookType(StrEnum):
    """Event types that an endpoint can ask for."""

    BATCH_COMPLETED = "batch.completed"
    BATCH_FAILED = "batch.failed"
    IMAGE_COMPLETED = "image.completed"
    CREDENTIAL_FAILED = "credential.failed"
    CREDENTIAL_DEGRADED = "credential.degraded"
    CREDENTIAL_RECOVERED = "credential.recovered"
    CREDENTIAL_EXPIRING = "credential.expiring"
    SPEND_CAP_REACHED = "spend.cap_reached"
    TEST = "webhook.test"


DEFAULT_TYPES = (WebhookType.BATCH_COMPLETED, WebhookType.BATCH_FAILED)


class Endpoint(Body):
    """A tenant's URL. `disabled_reason` says why nothing is sent any more."""

    id: EndpointId
    url: str
    types: tuple[WebhookType, ...]
    description: str = ""
    disabled_reason: str | None = None
    created_at: datetime


class EndpointList(Body):
    items: tuple[Endpoint, ...]


class CreatedEndpoint(Body):
    """An endpoint with its signing secret (`whsec_…`), which is shown this once."""

    endpoint: Endpoint
    secret: Secret


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Attempt(Body):
    """One try. `status_code` is None where no answer came; `error` says what went wrong then."""

    at: datetime
    duration_ms: int
    status_code: int | None = None
    error: str | None = None


class Delivery(Body):
    """A message for one endpoint and every try to bring it there."""

    id: DeliveryId
    endpoint_id: EndpointId
    type: WebhookType
    status: DeliveryStatus
    created_at: datetime
    next_attempt_at: datetime | None = None
    attempts: tuple[Attempt, ...] = ()


class DeliveryPage(Body):
    items: tuple[Delivery, ...]
    next_cursor: str | None = None


class CreateEndpoint(Query[CreatedEndpoint]):
    wire = "webhooks.create_endpoint.v1"
    reply = CreatedEndpoint
    url: str = Field(max_length=2048)
    types: tuple[WebhookType, ...] = DEFAULT_TYPES
    description: str = Field("", max_length=500)


class ListEndpoints(Query[EndpointList]):
    wire = "webhooks.list_endpoints.v1"
    reply = EndpointList


class GetEndpoint(Query[Endpoint]):
    wire = "webhooks.get_endpoint.v1"
    reply = Endpoint
    endpoint_id: EndpointId


class DeleteEndpoint(Query[Endpoint]):
    """Answers with the endpoint as it was."""

    wire = "webhooks.delete_endpoint.v1"
    reply = Endpoint
    endpoint_id: EndpointId


class RotateSecret(Query[CreatedEndpoint]):
    """A new secret; the old one signs along for `overlap_s` seconds."""

    wire = "webhooks.rotate_secret.v1"
    reply = CreatedEndpoint
    endpoint_id: EndpointId
    overlap_s: int = Field(86_400, ge=0, le=7 * 86_400)


class TestEndpoint(Query[Delivery]):
    """Queue a `webhook.test` message to the endpoint."""

    __test__ = False
    wire = "webhooks.test_endpoint.v1"
    reply = Delivery
    endpoint_id: EndpointId


class ListDeliveries(Query[DeliveryPage]):
    """Newest first."""

    wire = "webhooks.list_deliveries.v1"
    reply = DeliveryPage
    endpoint_id: EndpointId
    cursor: str | None = None
    limit: int = Field(50, ge=1, le=200)


class Redeliver(Query[Delivery]):
    """Send it again now, with the same `webhook-id`."""

    wire = "webhooks.redeliver.v1"
    reply = Delivery
    endpoint_id: EndpointId
    delivery_id: DeliveryId


class EndpointState(StrEnum):
    """`failing`: what was last tried came to nothing; `disabled`: nothing is sent any more."""

    HEALTHY = "healthy"
    FAILING = "failing"
    DISABLED = "disabled"


class EndpointStanding(Body):
    """How one tenant's endpoint stands, for the platform's own people.

    `host` and no more of the URL, whose path or query may be the tenant's secret. The counts are deliveries:
    under way, and those of the last 24 hours that arrived or were given up.
    """

    tenant_id: TenantId
    endpoint_id: EndpointId
    host: str
    state: EndpointState
    disabled_reason: str | None = None
    pending: int
    delivered_day: int
    failed_day: int
    oldest_pending_at: datetime | None = None
    last_attempt_at: datetime | None = None
    last_status_code: int | None = None
    last_error: str | None = None


class EndpointHealthPage(Body):
    """`next_cursor` continues; None at the end."""

    items: tuple[EndpointStanding, ...]
    next_cursor: str | None = None


class ListEndpointHealth(Query[EndpointHealthPage]):
    """The platform's question, over all tenants or of one; by tenant."""

    wire = "webhooks.list_endpoint_health.v1"
    reply = EndpointHealthPage
    tenant_id: TenantId | None = None
    state: EndpointState | None = None
    cursor: str | None = Field(None, max_length=100)
    limit: int = Field(100, ge=1, le=200)


class EndpointDisabled(Event):
    wire = "webhooks.endpoint_disabled.v1"
    endpoint: Endpoint
