"""OpenTelemetry traces; nothing is exported unless an OTLP endpoint is set.

The trace travels as a W3C `traceparent` (https://www.w3.org/TR/trace-context/) in message envelopes.
"""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, DEFAULT_ON
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_propagator = TraceContextTextMapPropagator()


def configure_traces(service: str, otlp_endpoint: str | None) -> TracerProvider:
    """Make trace ids, and send spans to `otlp_endpoint` (such as http://collector:4318) if given."""
    # Without a collector spans only carry ids, which is all that logs and messages need of them.
    sampler = DEFAULT_ON if otlp_endpoint else ALWAYS_OFF
    resource = Resource.create({"service.name": f"mannequin-{service}"})
    provider = TracerProvider(sampler=sampler, resource=resource)
    if otlp_endpoint:
        # Imported here: the exporter costs start-up time that nobody without a collector should pay.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        exporter = OTLPSpanExporter(endpoint=f"{otlp_endpoint.rstrip('/')}/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider


def current_traceparent() -> str | None:
    """The `traceparent` of the span that is open here, or None."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")


def remote_context(traceparent: str | None) -> Context | None:
    """The context that a message's `traceparent` names, for a span that continues it."""
    return _propagator.extract({"traceparent": traceparent}) if traceparent else None
