"""Everything that is put behind or into the visible garment: the inner back, and what something hid."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from libs.common.contracts.inference import Box
from services.inference.pipeline.arrays import U8


class Source(StrEnum):
    """Where the inner back comes from."""

    NONE = "none"
    SYNTHESIZED = "synthesized"
    INSIDE_SHOT = "inside_shot"
    DRAWING = "drawing"
    """A generative model drew it."""


class Note(StrEnum):
    """What was asked for and could not be done. Stable, as customers' programs compare these strings."""

    INSIDE_SHOT_DOES_NOT_FIT = "inside_shot_does_not_fit"
    NO_OPENING_FOR_INSIDE_SHOT = "no_opening_for_inside_shot"
    DRAWING_DOES_NOT_FIT = "drawing_does_not_fit"


NOTES = {
    Note.INSIDE_SHOT_DOES_NOT_FIT: "The inside shot could not be laid behind this front, so the inner back "
    "is synthesised. Shoot both from the same place, the garment turned out on the same form.",
    Note.NO_OPENING_FOR_INSIDE_SHOT: "No opening was found in which the inside shot could show, so it is not "
    "used. Check that it belongs to this garment.",
    Note.DRAWING_DOES_NOT_FIT: "The provider drew another garment, or this one in another place, so nothing "
    "of its drawing is used and the inner back is synthesised.",
}
"""What each note means, and what to do."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """What of the garment something else hides: boxes (px), and the share of the garment's area, 0..1."""

    boxes: tuple[Box, ...] = ()
    share: float = 0.0
    filled: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Filling:
    """Invented pixels of a photo of H×W px: `rgb` uint8 [H,W,3] weighted by `alpha` uint8 [H,W].

    They lie under the visible garment: where its alpha is 255 nothing of them shows. `openings` are the boxes
    (px) of what was hollowed out; `notes` say what was asked for and could not be done.
    """

    alpha: U8
    rgb: U8
    source: Source = Source.NONE
    hidden: Hidden = Hidden()
    openings: tuple[Box, ...] = ()
    notes: tuple[Note, ...] = ()
