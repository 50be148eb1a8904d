"""Errors of the webhooks service.

libs.common.errors
├── NotFound ── NoSuchEndpoint, NoSuchDelivery
├── Conflict ── TooManyEndpoints, EndpointIsDisabled
└── Invalid ─── UrlRefused         the egress guard does not let deliveries go there
            └── NoTypes
"""

from __future__ import annotations

from libs.common.errors import Conflict, Invalid, NotFound


class NoSuchEndpoint(NotFound):
    """There is no such webhook endpoint. Check the id, and that the API key is of the tenant that made it."""

    default_code = "webhook_endpoint_not_found"


class NoSuchDelivery(NotFound):
    """The endpoint has no such delivery."""

    default_code = "webhook_delivery_not_found"


class TooManyEndpoints(Conflict):
    """The tenant has 20 webhook endpoints, the most there can be. Delete one that is no longer needed."""

    default_code = "too_many_webhook_endpoints"


class EndpointIsDisabled(Conflict):
    """Nothing is sent to this endpoint any more. Delete it, and register the URL again when it is back."""

    default_code = "webhook_endpoint_disabled"


class UrlRefused(Invalid):
    """The URL must be https and lead to a public address."""

    default_code = "webhook_url_refused"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, field="url")


class NoTypes(Invalid):
    """The endpoint asks for no event type. Name one at least."""

    default_code = "webhook_types_missing"

    def __init__(self) -> None:
        super().__init__(field="types")
