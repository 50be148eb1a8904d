"""Which model renders which photo while a new version is tried out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from services.inference.errors import ModelRefused

_STEPS = 2**32


@dataclass(frozen=True, slots=True)
class Rollout:
    """`canary_share` (0..1) of the photos go to the model `canary`, the others to `live`.

    By the photo's content: the same photo always gets the same model, on every worker and every try.
    """

    live: str
    canary: str | None = None
    canary_share: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.canary_share <= 1:
            raise ModelRefused(f"the canary's share is {self.canary_share}; choose 0 to 1")

    @property
    def references(self) -> tuple[str, ...]:
        """The models that have a share."""
        return (self.live,) if not self._tries else (self.live, str(self.canary))

    def model_for(self, photo: bytes) -> str:
        """The reference of the model that renders this photo."""
        return str(self.canary) if self._tries and _place(photo) < self.canary_share else self.live

    @property
    def _tries(self) -> bool:
        return self.canary is not None and self.canary_share > 0


def _place(photo: bytes) -> float:
    """0 to 1 (without 1), evenly spread over photos."""
    return int.from_bytes(hashlib.sha256(photo).digest()[:4], "big") / _STEPS
