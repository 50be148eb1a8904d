"""One photo and one call of a generative model in, one product picture out.

The pixel lock: every pixel that our own segmenter takes for visible garment is the photo's, bit for bit. Of
the drawing no more is used than what lies under them, in the openings and where something hid the garment,
and that only if it shows the same garment. The rest is the pipeline's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from libs.common.contracts.options import RenderOptions
from services.inference.generated.drawing import read_drawing
from services.inference.generated.sheet import MAX_SIDE, lay_on_sheet
from services.inference.pipeline.every_garment import told
from services.inference.pipeline.render import Render, Stages, look_at, render_photos
from services.inference.pipeline.segment import Segmenter, hint_of
from services.inference.providers.provider import Drawing

Draw = Callable[[bytes, str], Drawing]
"""Has an encoded photo (and its media type) drawn without what the garment is worn on. Raises CallFailed."""


def render_generated(
    photo: bytes,
    options: RenderOptions,
    segmenter: Segmenter,
    draw: Draw,
    inside: bytes | None = None,
    *,
    max_side: int = MAX_SIDE,
) -> Render:
    """Renders a photo with the help of a drawing, which is asked for once, and not before the photo is known
    to be one. An inside shot that fits goes before the drawing. `max_side` (px): of what is sent.

    Raises PictureRefused for the photo's fault; CallFailed for the provider's, which is also a drawing that
    is no picture or of other proportions. One of something else is not used, and a finding says so.
    """
    watch, segmenter = Stages(), told(segmenter, options.garment)
    photos, maps = look_at(photo, options, segmenter, inside, watch)
    sheet = watch.time("sheet", lambda: lay_on_sheet(photos.picture, max_side))
    drawing = watch.time("draw", lambda: draw(sheet.data, sheet.media_type))
    drawn = watch.time("drawing", lambda: read_drawing(drawing, sheet, segmenter, hint_of(options.garment)))
    made = render_photos(replace(photos, drawn=drawn.laid_behind), maps, segmenter, watch)
    return replace(made, model=f"{made.model}+{drawing.model}")
