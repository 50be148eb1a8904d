"""The garment's upper edge on both sides of an opening."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.inference.pipeline.arrays import Bools
from services.inference.pipeline.hollow.evidence import Frame


@dataclass(frozen=True, slots=True, eq=False)
class UpperEdge:
    """y (`heights` [n]) at each of the `columns` [n] that has garment, and how far `below` a line (px).

    The line is straight, fitted to the part under the opening, and may be tilted as the wearer is.
    """

    columns: NDArray[np.intp]
    heights: NDArray[np.intp]
    below: NDArray[np.float64]

    @classmethod
    def beside(cls, garment: Bools, opening: Frame) -> UpperEdge | None:
        """The edge within the opening's width left and right of it; None if there is none under it."""
        around = opening.grown(opening.width, opening.height, garment.shape)
        edge = garment[around.window]
        columns = np.flatnonzero(edge.any(axis=0))
        heights = around.top + np.argmax(edge, axis=0)[columns]
        columns = columns + around.left
        under = (columns >= opening.left) & (columns < opening.right)
        if under.sum() < 2:
            return None
        line = np.polyfit(columns[under], heights[under], 1)
        return cls(columns, heights, heights - np.polyval(line, columns))
