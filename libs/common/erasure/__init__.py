"""A tenant's end, as each service takes its part in it."""

from libs.common.erasure.memory import forgetter
from libs.common.erasure.part import Beyond, subscribe_erasure
from libs.common.erasure.rows import erase_rows, is_erased, raise_fence

__all__ = ["Beyond", "erase_rows", "forgetter", "is_erased", "raise_fence", "subscribe_erasure"]
