"""From an upload to an accepted command: stored, remembered and announced, or nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic

from fastapi import Request
from ulid import ULID

from libs.common.contracts.batch import BatchOptions, SubmitBatch, SubmitImage
from libs.common.contracts.routing import Estimate, EstimateBatch
from libs.common.objects import tenant_key
from services.gateway import store
from services.gateway.admission import admit
from services.gateway.gateway import Act
from services.gateway.human_models import check_person
from services.gateway.idempotency import Answer, fingerprint
from services.gateway.keeping import delete, discard, stored_or_gone
from services.gateway.options import Options, RenderQuery, merged_options
from services.gateway.uploads import Received, Taken, is_form, receive

ESTIMATE_S = 60.0
Command = SubmitBatch | SubmitImage


@dataclass(frozen=True, slots=True)
class Intake(Generic[Options]):
    """What one endpoint takes in: the object that the file becomes, and what is made of it."""

    taken: Taken
    key: str
    options: type[Options]
    command: Callable[[Received, Options], Command]
    answer: Callable[[Command], Answer]


@dataclass(frozen=True, slots=True)
class Accepted:
    """replayed: it had been accepted before, under the same idempotency key."""

    answer: Answer
    replayed: bool


async def submit(act: Act, query: RenderQuery, intake: Intake[Options]) -> Accepted:
    """Take the request's file in. A repeated request is read and compared, but stored no second time, nor
    counted on a quota.
    """
    gateway, request = act.gateway, act.request
    # What can't fit any more is refused before the upload, not after it.
    early = None if is_form(request) else merged_options(query, {}, intake.options)
    taken = await _within_plan(act, intake.taken)
    async with gateway.idempotency.claim(act.tenant, act.idempotency_key) as claim:
        if early is not None and not claim.replays:
            await check_person(act, early)
        async with stored_or_gone(gateway.objects, intake.key):
            sink = discard if claim.replays else partial(gateway.objects.put_stream, intake.key)
            received = await receive(request, taken, sink, gateway.metrics.uploaded.inc)
            options = merged_options(query, received.options, intake.options)
            command = intake.command(received, options)
            if not claim.replays:
                await check_person(act, options)
                await admit(act, command)
                gateway.access.check_still_in(act.tenant)
        print_ = _fingerprint(request, command, received)
        if claim.replays:
            return Accepted(claim.replay(print_), replayed=True)
        answer = intake.answer(command)
        async with gateway.database.tenant(act.tenant) as tx:
            await store.submit(tx, command)
            await claim.keep(tx, print_, answer)
    return Accepted(answer, replayed=False)


async def estimate(act: Act, query: RenderQuery, taken: Taken) -> Estimate:
    """What the uploaded archive would be. It lies in storage only while it is looked at."""
    gateway, request = act.gateway, act.request
    key = tenant_key(act.tenant, "estimates", str(ULID()).lower(), "archive.zip")
    if not is_form(request):
        merged_options(query, {}, BatchOptions)
    taken = await _within_plan(act, taken)
    try:
        sink = partial(gateway.objects.put_stream, key)
        received = await receive(request, taken, sink, gateway.metrics.uploaded.inc)
        options = merged_options(query, received.options, BatchOptions)
        await check_person(act, options)
        look = EstimateBatch(archive_key=key, archive_size=received.size, options=options)
        return await act.service(look, ESTIMATE_S)
    finally:
        await delete(gateway.objects, key)


async def _within_plan(act: Act, taken: Taken) -> Taken:
    """The same with what the tenant's plan takes of an archive."""
    if taken.picture:
        return taken
    quotas = await act.gateway.plans.quotas(act.tenant)
    return replace(taken, allowed=quotas.archive_bytes)


def _fingerprint(request: Request, command: Command, received: Received) -> str:
    """By what is in the body, not by its form: every multipart boundary is another."""
    name = command.name if isinstance(command, SubmitImage) else ""
    options = command.options.model_dump_json()
    return fingerprint(request.method, request.url.path, name, options, received.sha256)
