"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.6)."""

from __future__ import annotations

import json
from contextlib import suppress

from libs.client.models import Event


class EventParser:
    """Fed with lines, gives events; remembers the last id, after which a broken stream goes on."""

    def __init__(self, last_id: str | None = None) -> None:
        self.last_id = last_id
        self._kind = "message"
        self._data: list[str] = []

    def feed(self, line: str) -> Event | None:
        """The event that the line completes, if it does."""
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._kind = value
        elif field == "data":
            self._data.append(value)
        elif field == "id":
            self.last_id = value
        return None

    def _dispatch(self) -> Event | None:
        kind, data = self._kind, self._data
        self._kind, self._data = "message", []
        with suppress(ValueError):  # what a proxy may have put in is no event of ours
            if data:
                return Event(id=self.last_id, kind=kind, data=json.loads("\n".join(data)))
        return None
