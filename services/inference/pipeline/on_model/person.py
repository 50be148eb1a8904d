"""A human model, looked at: its photo, what the segmenter says of it, and where its torso is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock

import numpy as np

from libs.common.contracts.inference import Torso
from services.inference.pipeline.decode import Picture, decode
from services.inference.pipeline.on_model.figure import Figure
from services.inference.pipeline.on_model.torso import PersonRefused, Unfit, refused, torso_of
from services.inference.pipeline.segment import Hint, Maps, Segmenter, on_white, segment

_LEAST_LEGS = 0.03
"""Share of the frame that what is worn below the waist takes at least."""


@dataclass(frozen=True, slots=True)
class PersonShot:
    """The file of a human model's photo, whose it is, its SHA-256 (hex) and its torso if that is known."""

    tenant: str
    sha256: str
    data: bytes = field(repr=False)
    torso: Torso | None = None


class Person:
    """The decoded person; what is worn above and below the waist is asked for when it is needed.

    Safe to use from several threads at once.
    """

    def __init__(self, picture: Picture, torso: Torso | None = None) -> None:
        self.picture = Picture(on_white(picture))
        self._known = torso if torso is not None and _is_of(torso, picture) else None
        self._lock = Lock()
        self._maps: dict[Hint, Maps] = {}

    @classmethod
    def of(cls, shot: PersonShot) -> Person:
        """PictureRefused if the file is no picture that is taken."""
        return cls(decode(shot.data), shot.torso)

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self.picture.width, self.picture.height

    @property
    def cost(self) -> int:
        """Bytes that it takes in memory, about."""
        return int(self.picture.rgb.nbytes) + sum(int(maps.classes.nbytes) for maps in self._maps.values())

    def maps(self, segmenter: Segmenter, hint: Hint) -> Maps:
        """What the segmenter says of the photo; asked once for each hint."""
        with self._lock:
            if hint not in self._maps:
                self._maps[hint] = segment(self.picture, segmenter, hint)
            return self._maps[hint]

    def figure(self, segmenter: Segmenter, hint: Hint) -> Figure:
        """The person, and as its garment what is worn there: above the waist, or below with LOWER.

        PersonRefused where there is nothing to go by.
        """
        figure = Figure.of(self.maps(segmenter, hint), *self.size)
        if hint is Hint.LOWER and not self._has_legs(segmenter, figure):
            raise refused(Unfit.NO_LEGS)
        return figure

    def _has_legs(self, segmenter: Segmenter, below: Figure) -> bool:
        """Whether something is worn below the waist: a network asked for that may show a shirt instead."""
        if float(np.mean(below.garment)) < _LEAST_LEGS:
            return False
        try:
            torso = self.torso(segmenter)
        except PersonRefused:
            return True  # a photo of legs alone
        top = float(np.argmax(below.garment.any(1))) * below.scale[1]
        return top > (torso.neck[1] + torso.left_waist[1]) / 2

    def torso(self, segmenter: Segmenter) -> Torso:
        """As it was found when the photo was stored, or found now. PersonRefused."""
        if self._known is None:
            self._known = torso_of(self.picture, self.maps(segmenter, Hint.UPPER))
        return self._known


def _is_of(torso: Torso, picture: Picture) -> bool:
    return (torso.width, torso.height) == (picture.width, picture.height)
