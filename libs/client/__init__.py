"""The Python SDK of Invisible Mannequin.

from libs.client import Mannequin

with Mannequin(api_key="im_live_…") as mannequin:
    batch = mannequin.batches.process("shoot.zip", options={"background": "#ffffff"})
    mannequin.batches.wait(batch.id)
    mannequin.batches.download(batch.id, "results.zip")

    key = mannequin.credentials.create("photoroom", "our contract", {"api_key": secret})
    print(key.health.state, key.health.advice)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from libs.client.aio import AsyncMannequin
    from libs.client.errors import MannequinError
    from libs.client.sync import Mannequin
    from libs.client.webhooks import verify_webhook

__all__ = ["AsyncMannequin", "Mannequin", "MannequinError", "verify_webhook"]
_HOMES = {
    "AsyncMannequin": "aio",
    "Mannequin": "sync",
    "MannequinError": "errors",
    "verify_webhook": "webhooks",
}


def __getattr__(name: str) -> Any:
    """Imported when first used (PEP 562): the HTTP library costs a command line half a second."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
