"""The egress guard (`libs/common/egress`) in the words of this service."""

from __future__ import annotations

from yarl import URL

from libs.common import egress
from services.webhooks.errors import UrlRefused


class Guard(egress.Guard):
    """See egress.Guard."""

    async def check(self, url: str) -> URL:
        """Refuse a URL that no delivery could go to. UrlRefused says why."""
        try:
            return await super().check(url)
        except egress.UrlForbidden as forbidden:
            raise UrlRefused(forbidden.detail) from None
