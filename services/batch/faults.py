"""What a route's failure does: the image goes back in line, and the key rests before it is tried again.

A fault of the key stops its use at once, without waiting for the vault's verdict; what the vault says then
counts. A fault of the provider lets the key rest a little longer each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from libs.common.contracts.ids import CredentialId, ImageId, TenantId
from libs.common.contracts.inference import UnrenderableImage, UnroutedImage
from libs.common.contracts.providers import Fault, FaultKind, Route
from libs.common.db import Row, Transaction
from services.batch.accounts import Ledger
from services.batch.charges import Arrival
from services.batch.routing import Standing, Tried
from services.batch.store import routes

FORGET = timedelta(hours=1)
"""Faults of an image that are older no longer keep it from a key."""


@dataclass(frozen=True, slots=True)
class _Rest:
    """Seconds of a first pause and of the longest; each is twice the one before."""

    first_s: float
    longest_s: float


_RESTS = {FaultKind.KEY: _Rest(60, 3600), FaultKind.PROVIDER: _Rest(2, 600)}


def judged(arrival: Arrival) -> Arrival:
    """The same, but a picture that its route refused, or that the platform gave up, has failed for good."""
    outcome = arrival.outcome
    if not isinstance(outcome, UnroutedImage):
        return arrival
    if arrival.route is not None and outcome.fault.kind is not FaultKind.REQUEST:
        return arrival
    failed = UnrenderableImage(
        image_id=outcome.image_id,
        code=outcome.fault.code.value,
        detail=outcome.fault.detail,
        render_ms=outcome.render_ms,
    )
    return Arrival(failed, arrival.route)


def in_hand(arrival: Arrival, image: Row) -> bool:
    """Whether the image is still on the route that failed it; otherwise that is old news."""
    route = arrival.route
    return (
        route is not None
        and image["status"] == "rendering"
        and (image["credential_id"], image["credential_version"])
        == (route.credential_id, route.credential_version)
    )


async def put_back(
    tx: Transaction,
    tenant: TenantId,
    arrivals: Sequence[Arrival],
    images: Mapping[ImageId, Row],
    ledger: Ledger,
) -> int:
    """Put images that their route could not compute back in line; how many."""
    back = [one for one in arrivals if in_hand(one, images[one.outcome.image_id])]
    rows = [images[one.outcome.image_id] for one in back]
    ledger.free(tenant, rows)
    changed = [
        {"id": row["id"], "faults": _more(row["faults"], one.route)}
        for one, row in zip(back, rows, strict=True)
        if one.route is not None
    ]
    if changed:
        await tx.execute(routes.put_back, tenant, changed)
    return len(changed)


def _more(faults: Mapping[str, int] | None, route: Route) -> dict[str, int]:
    name = f"{route.credential_id}@{route.credential_version}"
    return {**(faults or {}), name: (faults or {}).get(name, 0) + 1}


async def rest_keys(tx: Transaction, tenant: TenantId, arrivals: Iterable[Arrival]) -> None:
    """Let the credentials whose calls failed rest; those whose calls worked need it no longer."""
    worked: set[CredentialId] = set()
    failed: dict[tuple[CredentialId, int], Fault] = {}
    for one in arrivals:
        route = one.route
        if route is None or route.credential_id is None:
            continue
        if isinstance(one.outcome, UnroutedImage):
            _keep_worse(failed, (route.credential_id, route.credential_version or 0), one.outcome.fault)
        else:
            worked.add(route.credential_id)
    well = worked - {credential_id for credential_id, _ in failed}
    if well and await tx.fetch(routes.end_strikes, tenant, sorted(well)):
        await tx.execute(routes.look_again, tenant, None)
    for (credential_id, version), fault in sorted(failed.items()):
        await _rest(tx, tenant, credential_id, version, fault)


def _keep_worse(
    failed: dict[tuple[CredentialId, int], Fault], key: tuple[CredentialId, int], fault: Fault
) -> None:
    if key not in failed or fault.kind is FaultKind.KEY:
        failed[key] = fault


async def _rest(
    tx: Transaction, tenant: TenantId, credential_id: CredentialId, version: int, fault: Fault
) -> None:
    rest, of_key = _RESTS[fault.kind], fault.kind is FaultKind.KEY
    said = {"key": of_key, "code": fault.code.value, "detail": fault.detail}
    await tx.execute(
        routes.pause_credential, tenant, credential_id, version, said, rest.first_s, rest.longest_s, of_key
    )


def tried(image: Mapping[str, Any] | Row, standing: Standing, now: datetime) -> tuple[Tried, ...]:
    """What was tried for the image and still counts: not what a key's recovery made void."""
    if not image["faults"] or image["faulted_at"] < now - FORGET:
        return ()
    renewed = {key.id: key.renewed_at for key in standing.keys}
    found = []
    for name, faults in sorted(image["faults"].items()):
        credential_id, _, version = name.rpartition("@")
        since = renewed.get(CredentialId(credential_id))
        if since is None or since <= image["faulted_at"]:
            found.append(Tried(CredentialId(credential_id), int(version), faults))
    return tuple(found)
