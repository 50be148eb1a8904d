"""Palettes: what garments, skin, mannequins and hair look like, as RGB in 0..1."""

import colorsys

import numpy as np

from training.photos.arrays import Colour

SKIN = np.array(
    [
        [0.96, 0.86, 0.78],
        [0.93, 0.80, 0.69],
        [0.88, 0.72, 0.59],
        [0.80, 0.62, 0.47],
        [0.72, 0.52, 0.38],
        [0.58, 0.39, 0.27],
        [0.45, 0.30, 0.20],
        [0.32, 0.20, 0.14],
    ],
    np.float32,
)
_HAIR = np.array(
    [
        [0.07, 0.05, 0.05],
        [0.20, 0.13, 0.08],
        [0.38, 0.25, 0.15],
        [0.75, 0.60, 0.35],
        [0.5, 0.2, 0.1],
        [0.5] * 3,
    ],
    np.float32,
)


def any_colour(
    rng: np.random.Generator, saturation: tuple[float, float], value: tuple[float, float]
) -> Colour:
    """A colour of any hue."""
    return np.array(
        colorsys.hsv_to_rgb(rng.random(), rng.uniform(*saturation), rng.uniform(*value)), np.float32
    )


def cloth_colour(rng: np.random.Generator) -> Colour:
    """White, black and grey as often as shops sell them, then beige, denim and any hue."""
    kind = rng.choice(
        ["white", "black", "grey", "beige", "denim", "hue"], p=[0.2, 0.17, 0.12, 0.07, 0.06, 0.38]
    )
    if kind == "hue":
        return any_colour(rng, (0.25, 1.0), (0.2, 1.0))
    if kind == "beige":
        return clipped(np.array([0.74, 0.62, 0.47]) * rng.uniform(0.5, 1.3))
    if kind == "denim":
        return clipped(np.array([0.3, 0.42, 0.6]) * rng.uniform(0.4, 1.5))
    low, high = {"white": (0.84, 1.0), "black": (0.02, 0.16), "grey": (0.2, 0.78)}[str(kind)]
    return near(rng, np.full(3, rng.uniform(low, high)), 0.015)


def quiet_colour(rng: np.random.Generator) -> Colour:
    """What a stylist puts beside the garment that a photo is about."""
    tones = ([0.86] * 3, [0.08] * 3, [0.5] * 3, [0.14, 0.18, 0.3], [0.7, 0.6, 0.47], [0.3, 0.4, 0.55])
    return near(rng, np.array(tones[rng.integers(len(tones))], np.float32), 0.02)


def skin_colour(rng: np.random.Generator) -> Colour:
    """A person's skin under some light."""
    return clipped(SKIN[rng.integers(len(SKIN))] * rng.uniform(0.85, 1.1))


def mannequin_colour(rng: np.random.Generator) -> Colour:
    """White, black, grey, linen, wood or flesh-coloured shells."""
    kind = rng.choice(["white", "black", "grey", "linen", "flesh"], p=[0.42, 0.14, 0.1, 0.2, 0.14])
    if kind == "linen":
        return near(rng, clipped(np.array([0.82, 0.74, 0.62]) * rng.uniform(0.6, 1.1)), 0.02)
    if kind == "flesh":
        return clipped(SKIN[rng.integers(5)] * rng.uniform(0.9, 1.1))
    low, high = {"white": (0.78, 1.0), "black": (0.02, 0.2), "grey": (0.3, 0.7)}[str(kind)]
    return near(rng, np.full(3, rng.uniform(low, high)), 0.012)


def hair_colour(rng: np.random.Generator) -> Colour:
    """Natural hair, and grey."""
    return clipped(_HAIR[rng.integers(len(_HAIR))] * rng.uniform(0.6, 1.3))


def near(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    """A colour close to `colour`."""
    return clipped(colour + rng.normal(0, spread, 3))


def clipped(colour: object) -> Colour:
    """`colour` inside the gamut."""
    return np.clip(np.asarray(colour, np.float32), 0, 1)
