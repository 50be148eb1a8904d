"""Array types of the pipeline; shapes are said where they are used."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Bools = NDArray[np.bool_]
Indices = NDArray[np.intp]
