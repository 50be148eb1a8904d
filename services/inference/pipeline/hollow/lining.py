"""The work on one garment: cloth for each opening and each hidden place."""

from __future__ import annotations

from libs.common.contracts.inference import Box
from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.hollow.back_neckline import Rim, find_rim
from services.inference.pipeline.hollow.collar import find_band
from services.inference.pipeline.hollow.evidence import Evidence, Frame
from services.inference.pipeline.hollow.fabric import Fabric, find_fabric
from services.inference.pipeline.hollow.filling import Source
from services.inference.pipeline.hollow.hole import Hole, open_hole
from services.inference.pipeline.hollow.inner_back import weave
from services.inference.pipeline.hollow.inside_shot import (
    Aligned,
    InsideShot,
    align,
    show_behind,
    show_over,
    with_headroom,
)
from services.inference.pipeline.hollow.label import sew_label
from services.inference.pipeline.hollow.occlusions import Occlusion, continued, mend
from services.inference.pipeline.hollow.openings import Opening, Place
from services.inference.pipeline.hollow.sheet import Sheet
from services.inference.pipeline.matte import Matte

SEEN = 0.5
"""Share of an inner back from which the visible part of it is continued rather than a new one made."""
_LIKELY = 0.5
_UPPER = (Place.NECK, Place.WAIST)
_RANK = (Source.NONE, Source.SYNTHESIZED, Source.DRAWING, Source.INSIDE_SHOT)
"""What a filling of several openings is named after."""


class Lining:
    """Puts cloth on a sheet of the photo's size, and keeps where it did and from what.

    `drawing`: one of the same garment, which is asked where there is no photo of it.
    """

    def __init__(
        self,
        picture: Picture,
        matte: Matte,
        evidence: Evidence,
        *,
        label: bool,
        drawing: Aligned | None = None,
    ) -> None:
        self.sheet = Sheet(picture.rgb)
        self.source = Source.NONE
        self.boxes: list[Box] = []
        self.drew = False
        self._picture = picture
        self._alpha = matte.alpha
        self._evidence = evidence
        self._label = label
        self._drawing = drawing

    def mend(self, occlusion: Occlusion) -> None:
        """Continues the cloth over a hidden place."""
        left, top = occlusion.box.left, occlusion.box.top
        frame = Frame(left, top, left + occlusion.box.width, top + occlusion.box.height)
        fabric = self._fabric(frame)
        frame, alpha, cloth = mend(occlusion, self._evidence, self._picture.rgb, self._alpha, fabric)
        if self._drawing is not None:
            cloth = show_over(cloth, frame, self._drawing, self._picture, self._alpha)
            self.drew = True
        self.sheet.put(frame, alpha, cloth)

    def close(self, opening: Opening, inside: InsideShot | None) -> None:
        """Shows the inner back in an opening: the inside shot's if it fits, a drawn or a synthesised one."""
        if opening.place is Place.INSIDE:
            self._uncover(opening)
            return
        rim = find_rim(self._evidence, opening)
        if opening.place is Place.NECK and inside is not None:
            shot = align(self._evidence, inside, opening.seed)
            if shot.is_sure and self._show(opening, rim, shot):
                return
        if opening.place in _UPPER and self._drawing is not None and self._show(opening, rim, self._drawing):
            return
        hole = open_hole(self._evidence, opening, rim, self._alpha)
        fabric = None if hole is None else self._fabric(hole.frame)
        if hole is not None and fabric is not None:
            seen = _is_seen(self._evidence, opening)
            cloth = self._continued(hole) if seen else self._cloth(hole, fabric, opening.place)
            self._put(hole, hole.alpha, cloth, Source.SYNTHESIZED)

    def _uncover(self, opening: Opening) -> None:
        """Takes something away from before an inner back that is seen."""
        occlusion = Occlusion.at(opening.seed, self._evidence.scale)
        self.mend(occlusion)
        made = Source.SYNTHESIZED if self._drawing is None else self._drawing.source
        self.source = max(made, self.source, key=_RANK.index)
        self.boxes.append(occlusion.box)

    def _continued(self, hole: Hole) -> F32:
        return continued(self._picture.rgb[hole.frame.window], self._alpha[hole.frame.window])

    def _show(self, opening: Opening, rim: Rim, shot: Aligned) -> bool:
        hole = open_hole(self._evidence, opening, with_headroom(rim), self._alpha)
        shown = None if hole is None else show_behind(hole, shot, self._picture, self._alpha)
        if hole is None or shown is None:
            return False
        self._put(hole, *shown, shot.source)
        self.drew |= shot is self._drawing
        return True

    def _cloth(self, hole: Hole, fabric: Fabric, place: Place) -> F32:
        if place not in _UPPER:
            return weave(hole, fabric, None)
        band = find_band(self._picture.rgb, self._alpha, hole, fabric)
        cloth = weave(hole, fabric, band)
        if self._label and place is Place.NECK:
            return sew_label(hole, cloth, fabric.colour, band.width)
        return cloth

    def _fabric(self, frame: Frame) -> Fabric | None:
        return find_fabric(self._picture.rgb, self._alpha, frame)

    def _put(self, hole: Hole, alpha: U8, rgb: F32, source: Source) -> None:
        self.sheet.put(hole.frame, alpha, rgb)
        self.source = max(source, self.source, key=_RANK.index)
        frame = hole.frame
        self.boxes.append(Box(left=frame.left, top=frame.top, width=frame.width, height=frame.height))


def _is_seen(evidence: Evidence, opening: Opening) -> bool:
    """Whether much of the inner back is in the photo, so that the rest of it looks the same."""
    window = Frame.around(opening.seed).window
    inner = evidence.interior[window] > _LIKELY
    seen = inner & evidence.garment[window]
    return bool(seen.sum() > SEEN * max(1, int(inner.sum())))
