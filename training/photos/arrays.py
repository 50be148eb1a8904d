"""Array types that the generator's modules share; colours are RGB in 0..1, points are (x, y)."""

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
"""float32, HxWx3 colour or HxW field."""

Bytes = NDArray[np.uint8]
"""uint8, HxWx3 picture or HxW cover, 255 is fully covered."""

Points = NDArray[np.float32]
"""float32, Nx2."""

Colour = NDArray[np.float32]
"""float32, 3."""

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels."""
