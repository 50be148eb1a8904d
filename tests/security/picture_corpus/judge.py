"""Whether what came of a file is what its case asks for. It comes out of a child process, as text."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np

from services.inference.errors import PictureRefused, RefusalCode
from services.inference.pipeline.decode import decode
from tests.security.picture_corpus.case import Shows
from tests.security.picture_corpus.scene import quarter_means

Outcome = dict[str, Any]


def described(data: bytes) -> str:
    """JSON of the refusal (`code`, `detail`) or of the picture (`width`, `height`, `alpha`, `corners`)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            picture = decode(data)
        except PictureRefused as refused:
            return json.dumps({"code": refused.code, "detail": refused.detail})
    means = [mean.tolist() for mean in quarter_means(picture.rgb)] if min(picture.rgb.shape[:2]) >= 8 else []
    return json.dumps(
        {
            "width": picture.width,
            "height": picture.height,
            "alpha": picture.alpha is not None,
            "corners": means,
        }
    )


def complaint(found: Outcome, expected: Shows | RefusalCode) -> str | None:
    """What is wrong, or None."""
    if "code" in found:
        return None if found["code"] == expected else f"refused as {found['code']}: {found['detail']}"
    if isinstance(expected, RefusalCode):
        return f"passed for a picture of {found['width']}×{found['height']}"
    return _complaint_of(found, expected)


def _complaint_of(found: Outcome, expected: Shows) -> str | None:
    if (found["width"], found["height"]) != (expected.width, expected.height):
        return f"{found['width']}×{found['height']} px"
    if found["alpha"] != expected.alpha:
        return "alpha" if found["alpha"] else "no alpha"
    if expected.corners is None:
        return None
    off = np.abs(np.array(found["corners"]) - np.array(expected.corners)).max()
    return None if off <= expected.tolerance else f"colours are off by {off:.0f}"
