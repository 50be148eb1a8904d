"""Logs, traces and metrics, the same in every process."""

from libs.common.telemetry.logs import configure_logs, logger
from libs.common.telemetry.traces import configure_traces, current_traceparent, remote_context

__all__ = ["configure_logs", "configure_traces", "current_traceparent", "logger", "remote_context"]
