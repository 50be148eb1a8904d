"""What stands around the neck of a garment, laid over its trunk and the wearer's neck."""

from __future__ import annotations

import numpy as np

from training.photos.arrays import Points
from training.photos.canvas import GARMENT
from training.photos.garments import Collar, Front
from training.photos.openings import NECK_POINT_Y, neck_hole, waist_hole
from training.photos.outlines import edged, spline
from training.photos.poses import CHEST_Y, SHOULDER_Y
from training.photos.tailoring import Tailor


def paint_collar(tailor: Tailor) -> None:
    """The collar that the garment has, if any."""
    if not tailor.garment.is_upper or tailor.cut.bare_shoulders:
        return
    painter = {
        Collar.RIB: _paint_rib,
        Collar.TURTLE: _paint_turtle,
        Collar.SHIRT: _paint_shirt,
        Collar.LAPELS: _paint_lapels,
        Collar.HOOD: _paint_hood,
    }.get(tailor.garment.collar)
    if painter:
        painter(tailor)


def _paint_rib(tailor: Tailor) -> None:
    """A band along the neckline."""
    garment, model = tailor.garment, tailor.model
    if garment.front is Front.OPEN:
        return
    wide, y = tailor.cut.neck
    width = float(model.rng.uniform(0.05, 0.1))
    outer = neck_hole(garment.neck.style, wide + width * 0.8, garment.neck.deep + width, y)
    hole = model.front(tailor.cut.opening())
    tailor.band(model.canvas.without(model.front(outer), hole))
    tailor.line(outer[outer[:, 1] > y], 0.72, 0.008)


def _paint_turtle(tailor: Tailor) -> None:
    """A tube around the neck; its rim is open to the camera."""
    model = tailor.model
    top = NECK_POINT_Y - model.rng.uniform(0.1, 0.34)
    wide, flare = tailor.cut.neck[0] * 0.98, model.rng.uniform(0.84, 1.0)
    half = [[wide * flare, top], [wide * flare, (top + NECK_POINT_Y) / 2], [wide * 1.06, NECK_POINT_Y + 0.06]]
    sag = model.rng.uniform(0.03, 0.08)
    tube = model.cover(edged(half, 0.12))
    rim = model.cover(waist_hole(wide * flare, top, sag))
    tailor.paint(model.canvas.without(tube, rim), float(model.rng.uniform(0.9, 1.05)), angle=1.5)
    if tailor.garment.label == GARMENT:
        model.canvas.hollow(rim)
        if not model.stands:
            tailor.paint(rim, 0.6)
            model.canvas.hollow(rim)


def _paint_shirt(tailor: Tailor) -> None:
    """Two wings and the stand that they fold over."""
    model, rng = tailor.model, tailor.model.rng
    wide, y = tailor.cut.neck
    low = SHOULDER_Y + 0.1 + tailor.garment.neck.deep * 1.6
    tip, reach = rng.uniform(0.2, 0.34), low + rng.uniform(0.08, 0.22)
    shade = float(rng.uniform(0.92, 1.06))
    for side in (-1, 1):
        wing = np.array([[side * wide * 0.92, y - rng.uniform(0.06, 0.14)], [side * (wide + 0.1), y + 0.05],
                         [side * (tip + 0.1), reach], [side * 0.02, low]], np.float32)  # fmt: skip
        tailor.paint(model.front(wing), shade)
        tailor.line(wing[1:], 0.7, 0.01)


def _paint_lapels(tailor: Tailor) -> None:
    """Turned-back fronts with a notch, on both sides of the gap."""
    model, rng = tailor.model, tailor.model.rng
    wide, y = tailor.cut.neck
    opened = tailor.garment.front is Front.OPEN
    low = SHOULDER_Y + 0.1 + tailor.garment.neck.deep * 1.6 if not opened else CHEST_Y + rng.uniform(0.1, 0.7)
    gap = tailor.cut.gaps[0] if opened else 0.0
    out, notch = rng.uniform(0.14, 0.3), rng.uniform(0.25, 0.5)
    shade = float(rng.uniform(0.85, 1.08))
    for side in (-1, 1):
        middle = y + (low - y) * notch
        wing = np.array([[wide * 0.95, y - 0.08], [wide + 0.1, y + 0.06], [wide + out * 0.8, middle - 0.1],
                         [wide + out * 0.4, middle - 0.02], [wide + out, middle], [gap + 0.02, low],
                         [(wide + gap) * 0.52, (y + low) / 2]], np.float32)  # fmt: skip
        wing[:, 0] *= side
        tailor.paint(model.front(wing), shade)
        tailor.line(wing[1:6], 0.6, 0.012)


def _paint_hood(tailor: Tailor) -> None:
    """The sides of a hood, which meet at the neckline, and its strings."""
    model, rng = tailor.model, tailor.model.rng
    wide, y = tailor.cut.neck
    low = SHOULDER_Y + rng.uniform(0.1, 0.25) + (0.0 if tailor.garment.front is Front.OPEN else 0.05)
    meet = 0.12 if tailor.garment.front is Front.OPEN else 0.0
    for side in (-1, 1):
        lobe = spline(np.array([[side * wide * 0.8, y - 0.16], [side * (wide + 0.16), y - 0.08],
                                [side * (wide * 0.9 + 0.06), low - 0.06], [side * meet, low],
                                [side * wide * 0.62, y + 0.06]], np.float32), 8)  # fmt: skip
        tailor.paint(model.front(lobe), float(rng.uniform(0.9, 1.05)), angle=side * 0.6)
        _paint_string(tailor, side * (meet + 0.1), low)


def _paint_string(tailor: Tailor, x: float, low: float) -> None:
    rng = tailor.model.rng
    end = low + rng.uniform(0.2, 0.6)
    line: Points = np.array([[x, low - 0.05], [x * 1.2, (low + end) / 2], [x, end]], np.float32)
    tailor.line(spline(line, closed=False), float(rng.choice([0.5, 1.4])), 0.018)
