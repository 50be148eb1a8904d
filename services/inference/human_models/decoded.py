"""People whom this process dresses right now, decoded and looked at once for many images."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from time import monotonic

from services.inference.pipeline.on_model.person import Person, PersonShot

KEPT_S = 60.0
"""How long one is kept at most: what a tenant deletes is nowhere for longer."""
MOST, MOST_BYTES = 8, 256 * 1024 * 1024
_Key = tuple[str, str, str]


class DecodedPersons:
    """By tenant, SHA-256 and model: two tenants never share one, though they sent the same photo.

    Safe to use from several threads at once.
    """

    def __init__(self, *, most: int = MOST, most_bytes: int = MOST_BYTES, kept_s: float = KEPT_S) -> None:
        self._most, self._most_bytes, self._kept_s = most, most_bytes, kept_s
        self._held: OrderedDict[_Key, tuple[Person, float]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._held)

    def of(self, shot: PersonShot, model: str) -> Person:
        """The person as `model` sees it. PictureRefused if the file is no picture that is taken."""
        key = (shot.tenant, shot.sha256, model)
        with self._lock:
            self._forget_old()
            held = self._held.get(key)
            if held is not None:
                self._held.move_to_end(key)
                return held[0]
        person = Person.of(shot)
        with self._lock:
            person = self._held.setdefault(key, (person, monotonic()))[0]
            self._forget_most()
        return person

    def forget(self, sha256: str) -> None:
        """Nobody with a photo of this SHA-256 (hex) is held any longer."""
        with self._lock:
            for key in [key for key in self._held if key[1] == sha256]:
                del self._held[key]

    def _forget_old(self) -> None:
        oldest = monotonic() - self._kept_s
        for key in [key for key, (_, since) in self._held.items() if since < oldest]:
            del self._held[key]

    def _forget_most(self) -> None:
        """The one that is needed now stays, however large it is."""
        while len(self._held) > 1 and (len(self._held) > self._most or self._cost() > self._most_bytes):
            self._held.popitem(last=False)

    def _cost(self) -> int:
        return sum(person.cost for person, _ in self._held.values())
