"""Where the camera stands: heads to pixels."""

from dataclasses import dataclass

import numpy as np

from training.photos.arrays import Points
from training.photos.poses import SHOULDER_Y

_DEPTH = 0.46
"""How far the chest stands before the body's axis (heads)."""


@dataclass(frozen=True)
class Framing:
    """A frontal to three-quarter view; `unit` is pixels to a head's height, `yaw` the turn in radians."""

    unit: float
    centre: Points
    middle: float
    rotation: float
    lean: float
    turn: float
    sway: float
    width: float
    yaw: float

    def project(self, points: object) -> Points:
        """Heads to pixels: posture first (turn, sway, lean), then the camera."""
        body = np.asarray(points, np.float32).reshape(-1, 2)
        x, y = body[:, 0], body[:, 1] - self.middle
        x = x * np.where(x > 0, 1 + self.turn, 1 - self.turn) * self.width
        x = x + self.lean * y + self.sway * np.sin(np.clip((body[:, 1] - 1.6) / 2.6, 0, 1) * np.pi)
        cosine, sine = np.cos(self.rotation), np.sin(self.rotation)
        turned = np.stack([x * cosine - y * sine, x * sine + y * cosine], 1)
        return (turned * self.unit + self.centre).astype(np.float32)

    def fronted(self, points: object) -> Points:
        """Points of the front of the chest (heads), moved aside as a three-quarter view moves them."""
        body = np.array(points, np.float32).reshape(-1, 2)
        raised = np.clip((body[:, 1] - SHOULDER_Y + 0.2) / 0.6, 0, 1) * np.clip(1 - body[:, 0] ** 2, 0, 1)
        body[:, 0] += _DEPTH * np.sin(self.yaw) * raised
        return body


def draw_framing(
    rng: np.random.Generator, size: tuple[int, int], span: tuple[float, float], calm: bool
) -> Framing:
    """A view from height `span[0]` to `span[1]` (heads); `calm` is a careful studio's tripod."""
    width, height = size
    play = 0.25 if calm else 1.0
    unit = min(height / (span[1] - span[0]), width / rng.uniform(2.3, 3.2))
    centre = np.array([width / 2 + rng.normal(0, 0.05) * width * play, height / 2], np.float32)
    yaw = float(rng.uniform(-0.75, 0.75)) if rng.random() < (0.25 if calm else 0.4) else 0.0
    return Framing(
        unit=float(unit),
        centre=centre,
        middle=(span[0] + span[1]) / 2,
        rotation=float(np.deg2rad(rng.normal(0, 3.5)) * play),
        lean=float(rng.normal(0, 0.05) * play),
        turn=float(rng.normal(0, 0.1) * play),
        sway=float(rng.normal(0, 0.06) * play),
        width=float(rng.uniform(0.9, 1.12) * (0.45 + 0.55 * np.cos(yaw))),
        yaw=yaw,
    )
