"""What a tenant can do with the look of its brand."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from libs.common.audit.record import record
from libs.common.contracts.branding import (
    Brand,
    BrandFile,
    Branding,
    CheckColours,
    ContrastReport,
    GetBranding,
    PictureKind,
    RemoveBrandPicture,
    SetBranding,
    SetBrandPicture,
    upload_parts,
)
from libs.common.contracts.ids import TenantId
from libs.common.db import Database
from libs.common.errors import NotFound
from libs.common.objects import Objects
from libs.common.objects.objects import tenant_key
from services.tenants.branding import contrast, store
from services.tenants.branding.errors import ContrastTooLow, PictureRefused
from services.tenants.branding.store import sql
from services.tenants.branding.studio import Made, Studio

Pictures = dict[str, BrandFile | None]
"""By column of the brand's row."""
LOGO: Mapping[str, str] = {"logo": "picture"}
ICONS: Mapping[str, str] = {"favicon": "favicon", "touch_icon": "touch_icon"}
"""Columns, and the role of what is made for each (see `workshop.py`)."""


class BrandingService:
    """The use cases; what they change is told in the same transaction."""

    def __init__(self, database: Database, objects: Objects, studio: Studio) -> None:
        self._database = database
        self._objects = objects
        self._studio = studio

    async def get(self, _: GetBranding, tenant: TenantId) -> Branding:
        """NoSuchTenant."""
        async with self._database.tenant(tenant) as tx:
            return store.branding(
                await store.tenant_row(tx, tenant), await tx.fetchrow(sql.get_brand, tenant)
            )

    async def check(self, query: CheckColours, tenant: TenantId) -> ContrastReport:
        return contrast.report(query.colours)

    async def set_look(self, query: SetBranding, tenant: TenantId) -> Branding:
        """NoSuchTenant, NotInPlan, ContrastTooLow."""
        for name, pair in zip(contrast.NEEDED, contrast.report(query.look.colours).items, strict=True):
            if not pair.passes:
                raise ContrastTooLow(name, pair)
        async with self._database.tenant(tenant) as tx:
            owner = await store.entitled_row(tx, tenant)
            before = store.brand(await store.held(tx, owner))
            await tx.execute(sql.set_look, tenant, *store.look_columns(query.look))
            row = await store.announce(tx, owner)
            record(tx, "branding.changed", tenant, fields=_changed(before, store.brand(row)))
        return store.branding(owner, row)

    async def set_picture(self, query: SetBrandPicture, tenant: TenantId) -> Branding:
        """NoSuchTenant, NotInPlan, PictureRefused."""
        upload = tenant_key(tenant, *upload_parts(query.upload))
        try:
            async with self._database.tenant(tenant) as tx:
                await store.entitled_row(tx, tenant)
            made = await self._studio.make(await self._objects.read(upload))
        except NotFound as error:
            if error.code != NotFound.default_code:
                raise
            raise PictureRefused("The picture is gone. Send it again.") from error
        finally:
            await self._objects.delete(upload)
        return await self._change(tenant, query.kind, made)

    async def remove_picture(self, query: RemoveBrandPicture, tenant: TenantId) -> Branding:
        """NoSuchTenant."""
        return await self._change(tenant, query.kind, {})

    async def _change(self, tenant: TenantId, kind: PictureKind, made: dict[str, Made]) -> Branding:
        async with self._database.tenant(tenant) as tx:
            owner = await (store.entitled_row if made else store.tenant_row)(tx, tenant)
            row = await store.held(tx, owner)
            before = store.pictures(row)
            changes = await self._stored(tenant, made, _roles(kind, own_icon=row["favicon_uploaded"]))
            if kind is PictureKind.FAVICON and not made and before["logo"]:
                changes = await self._icons_of(tenant, before["logo"])
            pictures = before | changes
            uploaded = bool(made) if kind is PictureKind.FAVICON else row["favicon_uploaded"]
            await tx.execute(sql.set_pictures, tenant, *_columns(pictures), uploaded)
            row = await store.announce(tx, owner)
            action = f"branding.{kind.value}_{'changed' if made else 'removed'}"
            shown = pictures[kind.value]
            record(tx, action, tenant, sha256=shown.sha256 if shown else None)
        await self._sweep(tenant, before)
        return store.branding(owner, row)

    async def _stored(self, tenant: TenantId, made: dict[str, Made], roles: Mapping[str, str]) -> Pictures:
        """By column: the picture that was made for its role, or None."""
        found: Pictures = {}
        for column, role in roles.items():
            found[column] = await self._store(tenant, made[role]) if role in made else None
        return found

    async def _store(self, tenant: TenantId, made: Made) -> BrandFile:
        key = tenant_key(tenant, "branding", made.sha256)
        await self._objects.put(key, made.data)
        return BrandFile(key=key, sha256=made.sha256, media_type=made.media_type, size=len(made.data))

    async def _icons_of(self, tenant: TenantId, logo: BrandFile) -> Pictures:
        """Icons made from the logo that is there, as if it had just come."""
        made = await self._studio.make(await self._objects.read(logo.key))
        return await self._stored(tenant, made, ICONS)

    async def _sweep(self, tenant: TenantId, before: Pictures) -> None:
        """Remove what no brand shows any more; locked, as another change may just store the same again."""
        async with self._database.tenant(tenant) as tx:
            row = await tx.fetchrow(sql.hold_brand, tenant)
            shown = _keys(store.pictures(row)) if row else set()
            await self._objects.delete(*(_keys(before) - shown))


def _roles(kind: PictureKind, *, own_icon: bool) -> Mapping[str, str]:
    """What a picture is shown as: a logo brings icons with it unless the tenant has one of its own."""
    if kind is PictureKind.FAVICON:
        return ICONS
    return LOGO if own_icon else {**LOGO, **ICONS}


def _columns(pictures: Pictures) -> tuple[object, ...]:
    """In the order of `set_pictures`."""
    found = (pictures[name] for name in ("logo", "favicon", "touch_icon"))
    return tuple(file.model_dump() if file else None for file in found)


def _keys(pictures: Pictures) -> set[str]:
    return {file.key for file in pictures.values() if file}


def _changed(before: Brand, after: Brand) -> list[JsonValue]:
    return [name for name in Brand.model_fields if getattr(before, name) != getattr(after, name)]
