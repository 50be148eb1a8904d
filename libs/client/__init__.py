"""The Python SDK of Invisible Mannequin.

from libs.client import Mannequin

with Mannequin(api_key="im_live_…") as mannequin:
    batch = mannequin.batches.process("shoot.zip", options={"background": "#ffffff"})
    mannequin.batches.wait(batch.id)
    mannequin.batches.download(batch.id, "results.zip")
"""

from libs.client.aio import AsyncMannequin
from libs.client.errors import MannequinError
from libs.client.sync import Mannequin
from libs.client.webhooks import verify_webhook

__all__ = ["AsyncMannequin", "Mannequin", "MannequinError", "verify_webhook"]
