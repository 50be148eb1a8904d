"""What a decoder says about a broken picture, as a refusal by name that tells what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PIL import Image

from services.inference.errors import PictureRefused, RefusalCode

TAKEN = "JPEG, PNG, WebP, TIFF, AVIF or HEIC"
_CUT_SHORT = ("truncated", "premature end", "unexpected end", "end of file", "not enough data", "too short")


def cut_short() -> PictureRefused:
    return PictureRefused(RefusalCode.TRUNCATED, "the file ends before its picture does; upload it again")


def damaged(what: str = "the file is damaged") -> PictureRefused:
    return PictureRefused(RefusalCode.CORRUPT, f"{what}; export the picture again")


def unsupported(what: str, instead: str = f"send it as {TAKEN}") -> PictureRefused:
    return PictureRefused(RefusalCode.UNSUPPORTED_FORMAT, f"{what}; {instead}")


def refusal_of(said: str) -> PictureRefused:
    """The refusal that fits a decoder's message."""
    return cut_short() if any(words in said.lower() for words in _CUT_SHORT) else damaged()


@contextmanager
def refusing(ends_early: Callable[[], bool]) -> Iterator[None]:
    """Turns whatever a parser says about a hostile picture into PictureRefused.

    `ends_early` is asked where the parser does not say itself that the file is too short.
    """
    try:
        yield
    except (PictureRefused, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise PictureRefused(
            RefusalCode.TOO_MANY_PIXELS, "the header names too many pixels; shrink the picture"
        ) from exc
    except EOFError as exc:
        raise cut_short() from exc
    except Exception as exc:  # Pillow's parsers raise anything, from SyntaxError to struct.error
        raise (cut_short() if _is_true(ends_early) else refusal_of(str(exc))) from exc


def _is_true(ends_early: Callable[[], bool]) -> bool:
    try:
        return ends_early()
    except Exception:  # noqa: BLE001 - it reads a damaged file, too
        return False
