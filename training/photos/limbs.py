"""Bare arms and hands."""

from __future__ import annotations

import numpy as np

from training.photos.arrays import Points
from training.photos.bodies import Model
from training.photos.canvas import Cover
from training.photos.outlines import ellipse, tube
from training.photos.poses import Arm, Wearer


def paint_arm(model: Model, arm: Arm) -> Cover | None:
    """A bare arm with its hand, and where it is; forms have none."""
    if not model.stands or model.wearer is Wearer.FORM:
        return None
    limb = model.build.limb
    shoulder = ellipse(arm.joints[0], 0.21 * limb, 0.21 * limb)
    line = tube(arm.joints[:3], [0.21 * limb, 0.17 * limb, 0.1 * limb])
    hand = _hand(model, arm) if arm.hand else []
    cover = model.cover(shoulder, *line, *hand)
    model.shell(cover)
    return cover


def _hand(model: Model, arm: Arm) -> list[Points]:
    """Palm, four fingers that are spread now and then, and a thumb."""
    limb, rng = model.build.limb, model.rng
    wrist, tips = arm.joints[2], arm.joints[3]
    along = tips - wrist
    across = np.array([-along[1], along[0]], np.float32) / np.float32(np.hypot(*along) + 1e-6)
    palm = wrist + along * np.float32(0.48)
    parts = [*tube([wrist, palm], [0.1 * limb, 0.13 * limb]), ellipse(palm, 0.13 * limb, 0.13 * limb, 12)]
    spread, bent = rng.uniform(0.8, 1.7), rng.uniform(-0.12, 0.12)
    for place, reach in zip((-1.0, -0.33, 0.33, 1.0), (0.85, 1.0, 0.97, 0.8), strict=True):
        root = palm + across * np.float32(place * 0.085 * limb)
        end = wrist + along * np.float32(reach) + across * np.float32(place * spread * 0.09 * limb + bent)
        parts += [
            *tube([root, end], [0.045 * limb, 0.034 * limb]),
            ellipse(end, 0.034 * limb, 0.034 * limb, 8),
        ]
    aside = across * np.float32(-arm.side * rng.uniform(0.12, 0.26) * limb)
    thumb = wrist + along * np.float32(0.55) + aside
    return [*parts, *tube([wrist + along * np.float32(0.1), thumb], [0.06 * limb, 0.04 * limb])]
