"""Clients of AWS that know nothing of the machine they run on, and go nowhere but where they are sent."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from aiohttp import ClientSession

from libs.common.contracts.providers import ProviderName
from libs.common.providers import card

_SPARE_S = 5.0
"""The shared layer's time-out comes first."""
_NOTHING_OF_HERE = {"profile": (None, None, None, None), "config_file": (None, None, os.devnull, None)}


class DirectSession(AIOHTTPSession):  # type: ignore[misc]  # aiobotocore carries no types
    """aiobotocore's HTTP, which follows redirects to wherever they lead, without that."""

    async def _get_session(self, proxy_url: str | None) -> Any:
        return _Direct(await super()._get_session(proxy_url))


class _Direct:
    def __init__(self, session: ClientSession) -> None:
        self.request = partial(session.request, allow_redirects=False)


def session() -> AioSession:
    """A session without profiles and configuration files."""
    return AioSession(session_vars=_NOTHING_OF_HERE)


def config() -> AioConfig:
    """Retries and time-outs are the shared layer's; no environment variable names another endpoint."""
    limits = card(ProviderName.AWS_SAGEMAKER).limits
    return AioConfig(
        retries={"total_max_attempts": 1},
        connect_timeout=limits.timeout_s,
        read_timeout=limits.timeout_s + _SPARE_S,
        max_pool_connections=limits.concurrency,
        ignore_configured_endpoint_urls=True,
        http_session_cls=DirectSession,
    )
