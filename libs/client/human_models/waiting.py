"""Waiting until a human model's photo has been looked at. No I/O."""

from __future__ import annotations

import time

from libs.client.errors import WaitTimeout
from libs.client.human_models.models import HumanModel

_FIRST_S, _MOST_S = 0.2, 2.0


class Looking:
    """How long to pause before each look, until the time is up."""

    def __init__(self, model_id: str, timeout_s: float) -> None:
        self._model_id = model_id
        self._deadline = time.monotonic() + timeout_s
        self._pause_s = _FIRST_S

    def done(self, model: HumanModel) -> bool:
        """Whether it has been looked at. WaitTimeout if not, and the time is up."""
        if model.status != "checking":
            return True
        if time.monotonic() >= self._deadline:
            raise WaitTimeout(f"{self._model_id} is still being checked; waiting can be taken up again.")
        return False

    def pause(self) -> float:
        """Seconds, longer each time."""
        self._pause_s = min(self._pause_s * 1.5, _MOST_S)
        return self._pause_s
