"""How the endpoints of all tenants stand, for the platform's own people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from ulid import ULID

from libs.common.bus.bus import Delivery
from libs.common.contracts.ids import DeliveryId
from libs.common.contracts.webhooks import EndpointHealthPage, EndpointStanding, ListEndpointHealth
from libs.common.db import Database, Row
from services.webhooks.store import sql

_SAME = (
    *("tenant_id", "state", "disabled_reason", "pending", "delivered_day", "failed_day"),
    *("oldest_pending_at", "last_attempt_at", "last_status_code", "last_error"),
)


class Overview:
    """Answers over tenants; of a URL with no more than its host."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def respond(self, delivery: Delivery) -> EndpointHealthPage:
        """Of the platform's question, which is no tenant's."""
        assert isinstance(delivery.message, ListEndpointHealth)
        return await self.page(delivery.message)

    async def page(self, query: ListEndpointHealth) -> EndpointHealthPage:
        tenant, _, endpoint = (query.cursor or "").partition(":")
        since = _first_id(datetime.now(UTC) - timedelta(days=1))
        async with self._database.platform("list health of endpoints") as tx:
            rows = await tx.fetch(
                sql.list_standings,
                tenant,
                endpoint,
                query.tenant_id,
                query.state,
                since,
                query.limit + 1,
            )
        items = tuple(map(_standing, rows[: query.limit]))
        last = items[-1] if len(rows) > query.limit else None
        return EndpointHealthPage(
            items=items, next_cursor=f"{last.tenant_id}:{last.endpoint_id}" if last else None
        )


def _first_id(moment: datetime) -> str:
    """No delivery made at that moment or later has a smaller id."""
    return f"{DeliveryId.prefix}_{str(ULID.from_datetime(moment)).lower()[:10]}"


def _standing(row: Row) -> EndpointStanding:
    shown = {name: row[name] for name in _SAME}
    host = urlsplit(row["url"]).hostname or ""
    return EndpointStanding.model_validate(shown | {"endpoint_id": row["id"], "host": host})
