"""Structured logs: one JSON object a line, with service, tenant, batch, item and trace where known.

What `structlog.contextvars.bind_contextvars` binds (the bus middleware and the gateway do) stands on every
line that the same task logs.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from opentelemetry import trace


def configure_logs(service: str, level: str = "info") -> None:
    """Send the project's and the libraries' log lines to standard error as JSON."""
    structlog.contextvars.bind_contextvars(service=service)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose events are short names in the past tense, with the facts as fields."""
    bound: structlog.stdlib.BoundLogger = structlog.get_logger(component=name)
    return bound


def _add_trace(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace"] = format(span.trace_id, "032x")
    return event


def _print_no_locals() -> None:
    """For programs that never call `configure_logs`, such as a command line that asks over the bus.

    structlog's own default prints local variables with a traceback, and secrets among them.
    """
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


if not structlog.is_configured():
    _print_no_locals()
