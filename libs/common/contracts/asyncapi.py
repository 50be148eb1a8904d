"""Writes the flow down as an AsyncAPI 3.0 document (https://www.asyncapi.com/docs/reference/specification/v3.0.0).

`python -m libs.common.contracts.asyncapi > docs/asyncapi.json`; a test fails while that file is stale.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from libs.common.contracts import flow
from libs.common.contracts.envelope import SPEC_VERSION
from libs.common.contracts.message import Command, Event, Message, Query

_SCHEMA = "#/components/schemas/{model}"
_HEADERS = {
    "type": "object",
    "description": "CloudEvents 1.0 attributes in the broker's headers",
    "required": ["specversion", "id", "source", "type", "time"],
    "properties": {
        "specversion": {"const": SPEC_VERSION},
        "id": {"type": "string"},
        "source": {"type": "string", "description": "The service that sent it"},
        "type": {"type": "string"},
        "time": {"type": "string", "format": "date-time"},
        "subject": {"type": "string"},
        "tenantid": {"type": "string"},
        "traceparent": {"type": "string", "description": "W3C trace context"},
    },
}


def document() -> dict[str, Any]:
    """The whole catalogue: a channel a message, an operation for each service that sends or receives it."""
    messages = flow.messages()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Invisible Mannequin: messages between the services",
            "version": "1.0.0",
            "description": "Generated from `libs/common/contracts/flow.py`.",
        },
        "defaultContentType": "application/json",
        "channels": {message.wire: _channel(message) for message in messages},
        "operations": {name: operation for message in messages for name, operation in _operations(message)},
        "components": {
            "messages": {message.__name__: _message(message) for message in messages},
            "messageTraits": {"envelope": {"headers": _HEADERS}},
            "schemas": _schemas(messages),
        },
    }


def _schemas(messages: Sequence[type[Message]]) -> dict[str, Any]:
    replies = [message.reply for message in messages if issubclass(message, Query)]
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (model, "validation") for model in (*messages, *dict.fromkeys(replies))
    ]
    schemas: dict[str, Any] = models_json_schema(models, ref_template=_SCHEMA)[1]["$defs"]
    return schemas


def _channel(message: type[Message]) -> dict[str, Any]:
    return {
        "address": message.wire,
        "messages": {message.__name__: {"$ref": f"#/components/messages/{message.__name__}"}},
    }


def _message(message: type[Message]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": message.wire,
        "summary": _summary(message),
        "tags": [{"name": _kind(message)}],
        "traits": [{"$ref": "#/components/messageTraits/envelope"}],
        "payload": {"$ref": _SCHEMA.format(model=message.__name__)},
    }
    if issubclass(message, Query):
        described["x-reply"] = {"$ref": _SCHEMA.format(model=message.reply.__name__)}
    return described


def _kind(message: type[Message]) -> str:
    kinds = {Command: "command", Event: "event", Query: "query"}
    return next((name for kind, name in kinds.items() if issubclass(message, kind)), "signal")


def _summary(message: type[Message]) -> str:
    own = message.__dict__.get("__doc__") or ""
    return " ".join(own.split("\n\n")[0].split())


def _operations(message: type[Message]) -> Iterator[tuple[str, dict[str, Any]]]:
    channel = {"$ref": f"#/channels/{message.wire}"}
    for service in flow.SERVICES.values():
        sends = (*service.publishes, *service.requests, *service.signals)
        queued = [queue for queue in service.queues if message in queue.messages]
        if message in sends:
            yield f"{service.name}.send.{message.wire}", {"action": "send", "channel": channel}
        if queued or message in (*service.responds, *service.listens):
            receive: dict[str, Any] = {"action": "receive", "channel": channel}
            if queued:
                receive["x-queue"] = queued[0].name
            yield f"{service.name}.receive.{message.wire}", receive


def render() -> str:
    """The document as it is kept in the repository."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render())
