"""What garments there are: kind, cut, neckline, collar, front and cloth."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from training.photos.arrays import Colour
from training.photos.canvas import GARMENT
from training.photos.colours import cloth_colour, near
from training.photos.fabrics import Fabric, draw_fabric


class Kind(StrEnum):
    """What the photo is about."""

    TOP = "top"
    DRESS = "dress"
    TROUSERS = "trousers"
    SKIRT = "skirt"


class Front(StrEnum):
    """How the front closes."""

    CLOSED = "closed"
    BUTTONS = "buttons"
    ZIP = "zip"
    OPEN = "open"


class Collar(StrEnum):
    """What stands around the neck."""

    NONE = "none"
    RIB = "rib"
    TURTLE = "turtle"
    SHIRT = "shirt"
    LAPELS = "lapels"
    HOOD = "hood"


class Straps(StrEnum):
    """How a garment without sleeves holds."""

    TANK = "tank"
    THIN = "thin"
    NONE = "none"


@dataclass(frozen=True)
class Neckline:
    """Style of `openings.neck_hole`, half width as a share of the shoulder's, depth in heads."""

    style: str
    wide: float
    deep: float


@dataclass(frozen=True)
class Garment:
    """One garment. Lengths in heads; `sleeve` is the share of the arm that is covered (0: none)."""

    kind: Kind
    fabric: Fabric
    sleeve_fabric: Fabric
    sleeve: float
    hem: float
    ease: float
    flare: float
    neck: Neckline
    front: Front
    collar: Collar
    straps: Straps
    trim: Colour
    label: int = GARMENT

    @property
    def is_upper(self) -> bool:
        """It has a neckline."""
        return self.kind in (Kind.TOP, Kind.DRESS)


_STYLES = {"round": 0.58, "vee": 0.22, "square": 0.08, "boat": 0.12}
_COLLARS = {
    Collar.NONE: 0.4,
    Collar.RIB: 0.24,
    Collar.TURTLE: 0.08,
    Collar.SHIRT: 0.12,
    Collar.LAPELS: 0.08,
    Collar.HOOD: 0.08,
}


def draw_garment(
    rng: np.random.Generator, kind: Kind, colour: Colour, label: int = GARMENT, *, tidy: bool = False
) -> Garment:
    """A garment of this kind and colour; a `tidy` one has the cloth and cut that shops sell most."""
    fabric = draw_fabric(rng, colour, 0.7 if tidy else 0.52, tidy=tidy)
    other = draw_fabric(rng, cloth_colour(rng) if rng.random() < 0.5 else near(rng, colour, 0.1), tidy=tidy)
    collar = Collar(str(rng.choice(list(_COLLARS), p=list(_COLLARS.values()))))
    sleeve = _draw_sleeve(rng)
    if collar in (Collar.LAPELS, Collar.HOOD, Collar.SHIRT) and rng.random() < 0.75:
        sleeve = 1.0
    return Garment(
        kind=kind,
        fabric=fabric,
        sleeve_fabric=other if rng.random() < (0.05 if tidy else 0.16) else fabric,
        sleeve=sleeve,
        hem=float(rng.uniform(3.75, 4.25)) if tidy and kind is Kind.TOP else _draw_hem(rng, kind),
        ease=float(rng.uniform(1.02, 1.2 if tidy else 1.32)),
        flare=float(rng.uniform(0.9, 2.2)) if kind in (Kind.DRESS, Kind.SKIRT) else 1.0,
        neck=_draw_neckline(rng, collar),
        front=_draw_front(rng, collar),
        collar=collar,
        straps=Straps(str(rng.choice(list(Straps), p=[0.6, 0.28, 0.12]))),
        trim=cloth_colour(rng)
        if rng.random() < (0.1 if tidy else 0.4)
        else colour * np.float32(rng.uniform(0.75, 1.0)),
        label=label,
    )


def _draw_sleeve(rng: np.random.Generator) -> float:
    return float(
        rng.choice([0.0, rng.uniform(0.2, 0.4), rng.uniform(0.5, 0.8), 1.0], p=[0.18, 0.27, 0.1, 0.45])
    )


def _draw_hem(rng: np.random.Generator, kind: Kind) -> float:
    hems = {
        Kind.TOP: (3.3, 4.4) if rng.random() < 0.85 else (4.4, 6.0),
        Kind.DRESS: (4.8, 7.0),
        Kind.TROUSERS: (4.9, 7.2) if rng.random() < 0.3 else (6.6, 7.2),
        Kind.SKIRT: (4.7, 6.9),
    }
    return float(rng.uniform(*hems[kind]))


def _draw_neckline(rng: np.random.Generator, collar: Collar) -> Neckline:
    if collar is Collar.TURTLE:
        return Neckline("round", float(rng.uniform(0.26, 0.32)), 0.02)
    if collar is Collar.SHIRT:
        return Neckline("vee", float(rng.uniform(0.28, 0.36)), float(rng.choice([0.0, rng.uniform(0, 0.25)])))
    if collar is Collar.LAPELS:
        return Neckline("vee", float(rng.uniform(0.3, 0.42)), float(rng.uniform(0.25, 0.8)))
    style = str(rng.choice(list(_STYLES), p=list(_STYLES.values())))
    if style == "boat":
        return Neckline(style, float(rng.uniform(0.5, 0.74)), float(rng.uniform(0.0, 0.12)))
    deep = float(rng.uniform(0.02, 0.6)) if rng.random() < 0.6 else float(rng.uniform(0.02, 0.1))
    return Neckline(style, float(rng.uniform(0.3, 0.56)), deep)


def _draw_front(rng: np.random.Generator, collar: Collar) -> Front:
    """Collars go with fronts that open."""
    if collar is Collar.TURTLE:
        return Front.ZIP if rng.random() < 0.15 else Front.CLOSED
    if collar in (Collar.NONE, Collar.RIB):
        return Front(str(rng.choice(list(Front), p=[0.74, 0.1, 0.06, 0.1])))
    return Front(str(rng.choice(list(Front), p=[0.12, 0.38, 0.14, 0.36])))
