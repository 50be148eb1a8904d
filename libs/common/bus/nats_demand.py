"""How many messages to ask a JetStream consumer for: pure accounting, no I/O."""

from __future__ import annotations


class Demand:
    """Requests go out in batches of at least half the concurrency, so that busy handlers don't cost one each.

    on_the_way: messages asked for that have neither come nor been declined.
    """

    def __init__(self, concurrency: int) -> None:
        self._batch = max(1, concurrency // 2)
        self.on_the_way = 0

    def next(self, free: int) -> int:
        """How many to ask for now that `free` handlers could start; counts them as asked for."""
        wanted = free - self.on_the_way
        if wanted >= self._batch or (wanted > 0 and not self.on_the_way):
            self.on_the_way += wanted
            return wanted
        return 0

    def came(self) -> None:
        """One message arrived."""
        self.on_the_way = max(0, self.on_the_way - 1)

    def declined(self, unserved: int | None) -> None:
        """A request ended with so many messages still due; None where the server doesn't say: nothing is."""
        self.on_the_way = max(0, self.on_the_way - unserved) if unserved is not None else 0
