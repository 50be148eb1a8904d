"""What can go wrong while a picture is rendered.

InferenceError
├── PictureRefused   this picture can never be rendered; its code goes to the customer
├── WorkerKilled     the process that rendered this picture died or took too long
├── MarksRefused     the C2PA certificate or library is not as set; the process must not start
├── ModelRefused     the model or its execution provider is not as asked; the process must not start
├── LeaseRefused     the vault gives out no lease on the credential
│   └── RouteNotOpen   … because the batch has nothing in flight on it, or not yet
└── CallFailed       a call of a provider failed (see `providers/provider.py`)
    └── NotCalled      no call was made, as the account may not be used any more
"""

from __future__ import annotations

from enum import StrEnum

from libs.common.errors import MannequinError


class RefusalCode(StrEnum):
    """Why the pipeline refuses a picture. Stable: customers' programs compare these strings.

    The first seven are the sender's to mend, and the refusal's `detail` says how. Of the others, `photo_lost`
    and `killed_worker` want the photo sent or exported anew; `render_failed` is a mistake of ours.
    """

    EMPTY = "empty"
    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED_FORMAT = "unsupported_format"
    TOO_MANY_BYTES = "too_many_bytes"
    TOO_MANY_PIXELS = "too_many_pixels"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    PHOTO_LOST = "photo_lost"
    RENDER_FAILED = "render_failed"
    KILLED_WORKER = "killed_worker"


class InferenceError(MannequinError):
    """Something in inference failed."""


class PictureRefused(InferenceError):
    """The picture cannot be rendered however often it is tried; `detail` says how to mend it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = str(code)

    def __reduce__(self) -> tuple[type[PictureRefused], tuple[str, str]]:
        """It may be raised in a child process and has to reach its parent whole."""
        return type(self), (self.code, self.detail)


class WorkerKilled(InferenceError):
    """The picture ended the process that rendered it, or took too long, each time it was tried."""

    def __init__(self) -> None:
        super().__init__(type(self).__doc__)


class ModelRefused(InferenceError):
    """The model's files or the execution provider are not what the settings name: mend them, start again."""


class MarksRefused(InferenceError):
    """Results can't be signed as the settings say: mend them, start again."""


class LeaseRefused(InferenceError):
    """The vault gives out no lease on the credential; `code` is its refusal's."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class RouteNotOpen(LeaseRefused):
    """The batch has no image in flight on the credential, as far as the batch service knows."""
