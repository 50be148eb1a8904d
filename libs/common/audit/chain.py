"""The hash chain of an audit log: each entry holds the hash of the one before it.

An entry's hash is SHA-256 (FIPS 180-4) over its canonical JSON: keys sorted, no blanks, UTF-8, everything but
`hash` itself. Whoever changes an entry must change every later one, and the head, which is shown and
exported.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from libs.common.contracts.audit import AuditEntry, ChainState

GENESIS = "0" * 64
"""What the first entry names as the one before it."""


def body_of(entry: Mapping[str, Any]) -> str:
    """The canonical JSON that is hashed."""
    rest = {name: value for name, value in entry.items() if name != "hash"}
    return json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def hash_of(body: str) -> str:
    """Of a canonical JSON, hex."""
    return hashlib.sha256(body.encode()).hexdigest()


def sealed(entry: AuditEntry) -> tuple[AuditEntry, str]:
    """The entry with its hash, and the canonical JSON that the hash is of."""
    body = body_of(entry.model_dump(mode="json"))
    return entry.model_copy(update={"hash": hash_of(body)}), body


class ChainCheck:
    """Follows a chain from its start, entry by entry, until one does not fit."""

    def __init__(self) -> None:
        self._sequence = 0
        self._head = GENESIS
        self._broken: tuple[int, str] | None = None

    def follow(self, entries: Iterable[Mapping[str, Any]]) -> bool:
        """False once the chain is broken. entries: JSON objects with all fields, oldest first."""
        for entry in entries:
            if self._broken is None and (reason := self._fault(entry)):
                self._broken = (self._sequence + 1, reason)
            if self._broken:
                return False
            self._sequence, self._head = entry["sequence"], entry["hash"]
        return True

    def state(self, head: tuple[int, str] | None = None) -> ChainState:
        """What was found. head: sequence and hash that the chain should end with, if they are known."""
        if self._broken is None and head is not None and head != (self._sequence, self._head):
            self._broken = (self._sequence + 1, "entries are missing at the end")
        at, reason = self._broken or (None, None)
        return ChainState(entries=self._sequence, head=self._head, broken_at=at, reason=reason)

    def _fault(self, entry: Mapping[str, Any]) -> str | None:
        if entry.get("sequence") != self._sequence + 1:
            return "an entry is missing before this one"
        if entry.get("previous") != self._head:
            return "it does not follow the entry before it"
        if entry.get("hash") != hash_of(body_of(entry)):
            return "it was changed"
        return None
