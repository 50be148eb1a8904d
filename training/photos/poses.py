"""Who or what wears the garment and how it stands.

In heads: y is 0 at the crown, 1.6 at the shoulders, 7.5 at the soles.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from training.photos.arrays import Points

SHOULDER_Y, CHEST_Y, WAIST_Y, HIP_Y, CROTCH_Y, KNEE_Y, ANKLE_Y = 1.6, 2.25, 3.0, 3.8, 4.15, 5.65, 7.15


class Wearer(StrEnum):
    """What is inside the garment."""

    PERSON = "person"
    MANNEQUIN = "mannequin"
    FORM = "form"
    HANGER = "hanger"
    FLAT = "flat"


@dataclass(frozen=True)
class Build:
    """Half widths of a body in heads, and how thick its limbs are."""

    shoulder: float
    chest: float
    waist: float
    hip: float
    limb: float
    masculine: bool


@dataclass(frozen=True)
class Arm:
    """Shoulder, elbow, wrist and finger tips (heads); `front` arms hide the garment."""

    side: int
    joints: Points
    front: bool
    hand: bool


@dataclass(frozen=True)
class Pose:
    """One stance."""

    arms: tuple[Arm, Arm]
    legs: tuple[Points, Points]


# mode: upper arm degrees, forearm degrees (outwards from hanging), is in front, shows a hand
_ARMS: dict[str, tuple[tuple[float, float], tuple[float, float], float, bool]] = {
    "down": ((1, 14), (-10, 10), 0.4, True),
    "apart": ((14, 34), (-6, 22), 0.5, True),
    "hip": ((34, 62), (-100, -50), 0.8, True),
    "across": ((0, 26), (-118, -55), 1.0, True),
    "crossed": ((6, 18), (-112, -92), 1.0, True),
    "chest": ((10, 40), (-160, -120), 1.0, True),
    "pocket": ((16, 38), (-42, -10), 0.8, False),
    "raised": ((60, 130), (95, 175), 0.7, True),
    "behind": ((12, 34), (-75, -38), 0.0, True),
}
_WORN = dict(zip(_ARMS, (0.24, 0.08, 0.24, 0.12, 0.06, 0.04, 0.1, 0.04, 0.08), strict=True))
_SHELL = dict(zip(_ARMS, (0.4, 0.24, 0.2, 0.06, 0.0, 0.0, 0.0, 0.02, 0.08), strict=True))


def draw_build(rng: np.random.Generator) -> Build:
    """A plausible adult."""
    masculine = bool(rng.random() < 0.45)
    shoulder = rng.uniform(0.86, 1.04) if masculine else rng.uniform(0.74, 0.9)
    return Build(
        shoulder=shoulder,
        chest=shoulder * rng.uniform(0.78, 0.9),
        waist=shoulder * (rng.uniform(0.68, 0.84) if masculine else rng.uniform(0.57, 0.74)),
        hip=shoulder * (rng.uniform(0.72, 0.85) if masculine else rng.uniform(0.8, 1.02)),
        limb=(1.0 if masculine else 0.86) * rng.uniform(0.9, 1.12),
        masculine=masculine,
    )


def draw_pose(rng: np.random.Generator, build: Build, wearer: Wearer) -> Pose:
    """Arms and legs for this wearer; both arms often do the same."""
    modes = _SHELL if wearer is Wearer.MANNEQUIN else _WORN
    first, second = (str(mode) for mode in rng.choice(list(modes), 2, p=list(modes.values())))
    if rng.random() < 0.45 or first == "crossed":
        second = first
    if wearer in (Wearer.HANGER, Wearer.FLAT, Wearer.FORM):
        arms = (_limp(rng, build, -1, wearer), _limp(rng, build, 1, wearer))
    else:
        arms = (_arm(rng, build, -1, first), _arm(rng, build, 1, second))
    return Pose(arms, (_leg(rng, build, -1), _leg(rng, build, 1)))


def _arm(rng: np.random.Generator, build: Build, side: int, mode: str) -> Arm:
    upper, fore, front, hand = _ARMS[mode]
    start = np.array([side * build.shoulder * 0.8, SHOULDER_Y + 0.23])
    elbow = start + _direction(side, rng.uniform(*upper)) * rng.uniform(1.2, 1.42)
    bend = rng.uniform(*fore)
    wrist = elbow + _direction(side, bend) * rng.uniform(1.05, 1.3)
    tips = wrist + _direction(side, bend + rng.uniform(-20, 20)) * rng.uniform(0.28, 0.5)
    return Arm(
        side,
        np.array([start, elbow, wrist, tips], np.float32),
        bool(fore[1] < 0 and rng.random() < front),
        hand,
    )


def _limp(rng: np.random.Generator, build: Build, side: int, wearer: Wearer) -> Arm:
    """An empty sleeve: hanging on a form or hanger, spread when it lies flat."""
    spread = rng.uniform(5, 60) if wearer is Wearer.FLAT else rng.uniform(0, 18)
    start = np.array([side * build.shoulder * 0.8, SHOULDER_Y + 0.23])
    elbow = start + _direction(side, spread) * rng.uniform(1.2, 1.4)
    wrist = elbow + _direction(side, spread + rng.uniform(-30, 8)) * rng.uniform(1.0, 1.25)
    return Arm(side, np.array([start, elbow, wrist, wrist], np.float32), front=False, hand=False)


def _leg(rng: np.random.Generator, build: Build, side: int) -> Points:
    hip = side * build.hip * 0.52
    stride = 2.0 if rng.random() < 0.25 else 1.0
    knee = hip + side * rng.uniform(-0.06, 0.14) * stride
    ankle = knee + side * rng.uniform(-0.16, 0.12) * stride
    return np.array([[hip, CROTCH_Y - 0.1], [knee, KNEE_Y], [ankle, ANKLE_Y]], np.float32)


def _direction(side: int, degrees: float) -> Points:
    angle = np.deg2rad(degrees)
    return np.array([side * np.sin(angle), np.cos(angle)], np.float32)
