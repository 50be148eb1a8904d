"""What the OpenAPI document says of its operations, for tests that go through all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from libs.common.contracts.access import AnyPermission
from services.gateway.auth.guard import PERMISSION, permission_of
from services.gateway.openapi import operations
from tests.unit.gateway_app import api_document


@dataclass(frozen=True)
class Operation:
    """One endpoint. permission: what its caller needs; None for one that is public."""

    path: str
    method: str
    permission: AnyPermission | None
    example: Any = None

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def of_one_thing(self) -> bool:
        """Whether an id stands in its path."""
        return "{" in self.path


def all_operations() -> list[Operation]:
    """In the order of the document."""
    document = api_document()
    return [
        Operation(
            path,
            method.upper(),
            permission_of(operation) if PERMISSION in operation else None,
            _example(document, operation),
        )
        for path, method, operation in operations(document)
    ]


def _example(document: dict[str, Any], operation: dict[str, Any]) -> Any:
    """A JSON body as the document shows it, if one is taken."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    schema = content["schema"]
    for option in schema.get("anyOf", [schema]):
        name = option.get("$ref", "").rpartition("/")[2]
        found = document["components"]["schemas"].get(name, {}).get("examples")
        if found:
            return found[0]
    return {}
