"""Brands and domains for asyncio. `sync.py` is the same for ordinary code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from libs.client.branding import calls
from libs.client.branding.models import Branding, ContrastPair, Domain, Look, PublicBrand
from libs.client.models import Page

if TYPE_CHECKING:
    from libs.client.aio import AsyncTransport


class AsyncBrands:
    """`client.branding`"""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def get(self) -> Branding:
        """Your brand as it was set."""
        return await self._transport.send(calls.get_branding())

    async def set(self, display_name: str, **look: Unpack[Look]) -> Branding:
        """The whole look. Colours that can't be told apart are refused as `contrast_too_low`."""
        return await self._transport.send(calls.set_branding(display_name, look))

    async def check(self, **colours: str) -> Sequence[ContrastPair]:
        """Whether your brand could have these colours: primary, accent, background, text."""
        return (await self._transport.send(calls.check_colours(colours))).items

    async def at_host(self) -> PublicBrand:
        """What anybody sees at the host that the client speaks to."""
        return await self._transport.send(calls.get_host_branding())

    async def set_logo(self, picture: str | Path) -> Branding:
        """An SVG, PNG, JPEG or WebP. The favicon is made from it unless you set one."""
        return await self._transport.send(calls.set_picture("logo", Path(picture)))

    async def set_favicon(self, picture: str | Path) -> Branding:
        return await self._transport.send(calls.set_picture("favicon", Path(picture)))

    async def remove_logo(self) -> Branding:
        return await self._transport.send(calls.remove_picture("logo"))

    async def remove_favicon(self) -> Branding:
        """One is made from the logo again."""
        return await self._transport.send(calls.remove_picture("favicon"))

    async def download_logo(self, target: str | Path) -> Path:
        """Save the logo as it is shown."""
        return await self._transport.download(calls.logo(), Path(target))


class AsyncDomains:
    """`client.domains`"""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def add(self, host: str) -> Domain:
        """The answer's `record` must be in your DNS before `verify` finds it."""
        return await self._transport.send(calls.add_domain(host))

    async def list(self) -> Page[Domain]:
        return await self._transport.send(calls.list_domains())

    async def get(self, domain_id: str) -> Domain:
        return await self._transport.send(calls.get_domain(domain_id))

    async def verify(self, domain_id: str) -> Domain:
        """Look the record up now; `status` and `fault` say what came of it."""
        return await self._transport.send(calls.verify_domain(domain_id))

    async def remove(self, domain_id: str) -> None:
        await self._transport.send(calls.remove_domain(domain_id))
