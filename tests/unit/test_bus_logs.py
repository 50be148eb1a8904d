"""What stands on every line that is logged while a message is handled."""

from structlog.contextvars import get_contextvars

from libs.common.bus.bus import Delivery
from libs.common.bus.middleware.logs import logs
from libs.common.contracts.batch import GetBatch
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import BatchId, TenantId


async def test_lines_name_tenant_batch_and_message() -> None:
    """And nothing of it stays when the handler is through."""
    seen: dict[str, object] = {}

    async def handler(_: Delivery) -> None:
        seen.update(get_contextvars())

    message, tenant = GetBatch(batch_id=BatchId.new()), TenantId.new()
    envelope = Envelope.of(message, source="gateway", tenant=tenant)
    await logs(handler)(Delivery(envelope, message))

    assert seen["tenant"] == tenant
    assert seen["batch"] == message.batch_id
    assert (seen["message"], seen["message_id"]) == (envelope.type, envelope.id)
    assert "batch" not in get_contextvars()
