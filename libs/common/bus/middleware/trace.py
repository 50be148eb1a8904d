"""One trace from the message's sender through its handler (OpenTelemetry, W3C trace context)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace as otel
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from libs.common.bus.bus import Delivery, Handler

PROPAGATOR = TraceContextTextMapPropagator()


def trace(handler: Handler) -> Handler:
    """Run the handler in a consumer span under the sender's."""

    async def traced(delivery: Delivery) -> None:
        with span(delivery, SpanKind.CONSUMER):
            await handler(delivery)

    return traced


@contextmanager
def span(delivery: Delivery, kind: SpanKind) -> Iterator[None]:
    """A span for one delivery; an exception that leaves it marks it as failed.

    Attributes by https://opentelemetry.io/docs/specs/semconv/messaging/ where it has a name for them.
    """
    envelope = delivery.envelope
    attributes: dict[str, AttributeValue] = {
        "messaging.message.id": envelope.id,
        "messaging.destination.name": delivery.queue or envelope.type,
        "message": envelope.type,
        "attempt": delivery.attempt,
        **({"tenant": envelope.tenant_id} if envelope.tenant_id else {}),
    }
    tracer = otel.get_tracer("mannequin.bus")
    with tracer.start_as_current_span(envelope.type, _sender(delivery), kind, attributes):
        yield


def current_traceparent() -> str | None:
    """The current span as a `traceparent` (https://www.w3.org/TR/trace-context/), None outside of any."""
    context = otel.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _sender(delivery: Delivery) -> Context:
    carrier = {"traceparent": delivery.envelope.traceparent or ""}
    return PROPAGATOR.extract(carrier, context=Context())
