"""From what a segmenter saw to what shows in the garment's openings once nobody is inside."""

from __future__ import annotations

import numpy as np

from libs.common.contracts.options import OptionFields
from services.inference.pipeline.arrays import Bools
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.hollow.evidence import Evidence
from services.inference.pipeline.hollow.filling import Filling, Hidden, Note, Source
from services.inference.pipeline.hollow.inside_shot import Aligned, Drawn, InsideShot
from services.inference.pipeline.hollow.lining import Lining
from services.inference.pipeline.hollow.occlusions import find_occlusions, share_of
from services.inference.pipeline.hollow.openings import Opening, find_openings
from services.inference.pipeline.matte import Matte
from services.inference.pipeline.segment import Maps


def hollow_out(
    picture: Picture,
    maps: Maps,
    matte: Matte,
    options: OptionFields,
    inside: InsideShot | None = None,
    drawn: Drawn | None = None,
) -> Filling:
    """What shows in the openings of the garment. `inside` is the photo of its turned-out back, if any.

    `drawn` lays a generated picture of the garment behind it.

    The same photo, maps and options give the same pixels.
    """
    evidence = Evidence.of(maps, matte)
    openings = find_openings(evidence)
    open_parts = _all_of(openings, evidence)
    occlusions = find_occlusions(evidence, open_parts)
    drawing = None if drawn is None else drawn(evidence, picture, matte, open_parts)
    lining = Lining(picture, matte, evidence, label=options.neck_label, drawing=drawing)
    for occlusion in occlusions if options.fill_occlusions else ():
        lining.mend(occlusion)
    for opening in openings if options.hollow else ():
        lining.close(opening, inside)
    boxes = tuple(occlusion.box for occlusion in occlusions)
    hidden = Hidden(boxes, share_of(occlusions, evidence), filled=options.fill_occlusions and bool(boxes))
    return Filling(
        alpha=lining.sheet.alpha,
        rgb=lining.sheet.rgb,
        source=lining.source,
        hidden=hidden,
        openings=tuple(lining.boxes),
        notes=(*_notes(lining, options, inside), *_drawn_notes(lining, drawn, drawing)),
    )


def _all_of(openings: tuple[Opening, ...], evidence: Evidence) -> Bools:
    found = np.zeros(evidence.shape, np.bool_)
    for opening in openings:
        found |= opening.seed
    return found


def _notes(lining: Lining, options: OptionFields, inside: InsideShot | None) -> tuple[Note, ...]:
    if inside is None or not options.hollow or lining.source is Source.INSIDE_SHOT:
        return ()
    return (Note.INSIDE_SHOT_DOES_NOT_FIT if lining.boxes else Note.NO_OPENING_FOR_INSIDE_SHOT,)


def _drawn_notes(lining: Lining, drawn: Drawn | None, drawing: Aligned | None) -> tuple[Note, ...]:
    """A drawing that fits and is of no use, as nothing is open, is nobody's concern."""
    if drawn is None:
        return ()
    missed = bool(lining.boxes) and not lining.drew and lining.source is not Source.INSIDE_SHOT
    return (Note.DRAWING_DOES_NOT_FIT,) if drawing is None or missed else ()
