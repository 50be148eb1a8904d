"""What hair, hands, straps and bags hide of a garment: where that is, and cloth to put there if asked."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from libs.common.contracts.inference import Box
from services.inference.pipeline.arrays import F32, U8, Bools
from services.inference.pipeline.hollow.evidence import Evidence, Frame, grown, shrunk
from services.inference.pipeline.hollow.fabric import Fabric
from services.inference.pipeline.hollow.hole import TUCK, outline_of

SMALLEST = 0.002
"""Share of the garment from which something hidden is worth a word."""
GAP = 0.4
"""Distance (share of the garment's width) between two parts of it that what lies between them may hide."""
HELD = 0.45
"""Share of a hidden place's border that must be garment."""
POSSIBLE, LIKELY = 0.3, 0.5
INPAINT_SIDE = 200
_GRAIN = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Occlusion:
    """A hidden place, `region` [h,w] at the evidence's size, and its box in the photo."""

    region: Bools
    box: Box

    @classmethod
    def at(cls, region: Bools, scale: tuple[float, float]) -> Occlusion:
        """The place with its box, `scale` being the evidence's."""
        frame = Frame.around(region).scaled(1 / scale[0], 1 / scale[1])
        return cls(region, Box(left=frame.left, top=frame.top, width=frame.width, height=frame.height))


def find_occlusions(evidence: Evidence, openings: Bools) -> tuple[Occlusion, ...]:
    """What is hidden inside the garment's outline; `openings` (the evidence's size) are no occlusions."""
    if not evidence.garment.any():
        return ()
    frame = Frame.around(evidence.garment)
    foreign = (evidence.covered > POSSIBLE) & (evidence.ground < LIKELY)
    covered = ~evidence.garment & foreign & ~grown(openings, 3)
    inside = covered & (_enclosed(evidence.garment) | _bridged(evidence.garment, frame))
    inside = _rounded(inside, evidence.garment, frame)
    opened = cv2.morphologyEx(inside.view(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=8)
    smallest = max(12.0, SMALLEST * float(evidence.garment.sum()))
    large = [n for n in range(1, count) if stats[n, cv2.CC_STAT_AREA] >= smallest]
    parts = [np.asarray(labels == n, np.bool_) for n in large]
    held = [part for part in parts if _is_held(part, evidence)]
    return tuple(Occlusion.at(part, evidence.scale) for part in held)


def share_of(occlusions: tuple[Occlusion, ...], evidence: Evidence) -> float:
    """The part (0..1) of the whole garment that is hidden."""
    hidden = sum(int(occlusion.region.sum()) for occlusion in occlusions)
    return hidden / max(1, hidden + int(evidence.garment.sum()))


def mend(
    occlusion: Occlusion, evidence: Evidence, rgb: U8, alpha: U8, fabric: Fabric | None
) -> tuple[Frame, U8, F32]:
    """Frame in the photo, alpha [h,w] and RGB [h,w,3] of cloth continued from around a hidden place."""
    scale = evidence.scale
    frame = Frame.around(occlusion.region)
    frame = frame.grown(0.25 * frame.width + 6, 0.25 * frame.height + 6, evidence.shape)
    frame = frame.scaled(1 / scale[0], 1 / scale[1]).grown(0, 0, alpha.shape)
    outline = outline_of(occlusion.region | (grown(occlusion.region, TUCK) & evidence.garment), frame, scale)
    cloth = continued(rgb[frame.window], alpha[frame.window])
    if fabric is not None:
        cloth = cloth + fabric.grain_over((frame.width, frame.height)) * np.float32(_GRAIN)
    return frame, np.asarray(np.rint(outline * 255), np.uint8), np.clip(cloth, 0, 255)


def _enclosed(garment: Bools) -> Bools:
    """Holes: what the ground outside can't reach."""
    padded = cv2.copyMakeBorder(garment.view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(padded, None, (0, 0), 2)
    return np.asarray(padded[1:-1, 1:-1] == 0, np.bool_)


def _bridged(garment: Bools, frame: Frame) -> Bools:
    """What lies between garment above and below, or left and right under some of it, and not far apart.

    An arm below a sleeve has nothing below it, and a neck nothing above: they hide no cloth.
    """
    high = _closed(garment, 1, round(GAP * frame.width))
    wide = _closed(garment, round(GAP * frame.width), 1)
    return high | (wide & np.maximum.accumulate(garment, axis=0))


def _closed(garment: Bools, width: int, height: int) -> Bools:
    """Closed along a line; beyond the picture's border there is no garment."""
    x, y = width // 2 + 1, height // 2 + 1
    padded = cv2.copyMakeBorder(garment.view(np.uint8), y, y, x, x, cv2.BORDER_CONSTANT, value=0)
    line = np.ones((max(1, height), max(1, width)), np.uint8)
    closed = np.asarray(cv2.morphologyEx(padded, cv2.MORPH_CLOSE, line), np.uint8)
    return closed[y:-y, x:-x] > 0


def _rounded(part: Bools, garment: Bools, frame: Frame) -> Bools:
    """A hidden place whose free edge goes on smoothly from the garment's."""
    soft = cv2.GaussianBlur((part | garment).astype(np.float32), (0, 0), max(1.0, 0.02 * frame.width))
    return part & (np.asarray(soft) > 0.5)


def _is_held(part: Bools, evidence: Evidence) -> bool:
    """Whether a part is something that lies in the garment, no doubt and no limb beside it."""
    ring = grown(part, 2) & ~part
    held = (ring & evidence.garment).sum() >= HELD * ring.sum()
    return bool(held and evidence.covered[part].mean() > LIKELY)


def continued(rgb: U8, alpha: U8) -> F32:
    """The garment's colours spread over all of a part of the photo (Telea 2004), at a small size."""
    height, width = alpha.shape
    scale = min(1.0, INPAINT_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    solid = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) >= 250
    unknown = ~shrunk(solid, 1.5)
    filled = cv2.inpaint(small, unknown.view(np.uint8), 3, cv2.INPAINT_TELEA)
    large = cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32)
