"""Human models over the public API, with a real database, broker, storage and model."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deploy.local.servers.nats import Nats
from libs.common.contracts.access import Permission
from libs.common.contracts.ids import HumanModelId
from services.batch.store import sql
from tests.integration.human_model_desk import CONSENT, LIMIT_S, MODELS, PLACE, SUBJECT, Desk, at_desk, person
from tests.servers.databases import TestDatabase
from tests.servers.photos import jpegs

JPEG = {"content-type": "image/jpeg"}


@pytest.fixture
async def desk(database: TestDatabase, nats_server: Nats, tmp_path: Path) -> AsyncIterator[Desk]:
    async with at_desk(database, nats_server, tmp_path) as desk:
        yield desk


async def test_a_model_is_looked_at_and_then_ready(desk: Desk) -> None:
    """With its torso, its consent and who declared it; lists and looks say the same."""
    made = await desk.add(expires_at="2099-01-01T00:00:00Z", name="Alex, front")
    assert (made.status_code, made.json()["status"]) == (201, "checking")
    shown = await desk.looked_at(made.json()["id"])
    assert made.headers["location"] == shown["links"]["self"]
    assert (shown["status"], shown["width"], shown["height"]) == ("ready", 450, 600)
    assert shown["torso"]["left_shoulder"][0] < shown["torso"]["right_shoulder"][0]
    assert shown["consent"]["subject_name"] == SUBJECT
    assert shown["consent"]["declared_by"]["kind"] == "api_key"
    assert set(shown["consent"]["declared_by"]) == {"kind", "id"}
    assert (await desk.http.get(MODELS)).json()["items"] == [shown]


async def test_nothing_of_the_file_is_kept_but_its_pixels(desk: Desk) -> None:
    """Neither place nor camera, upright whatever the EXIF said; and what was sent is gone."""
    photo = person(turned=True)
    assert PLACE.encode() in photo
    shown = await desk.ready(photo=photo)
    (kept,) = (await desk.settled(1)).values()
    answered = await desk.http.get(shown["links"]["photo"])
    assert answered.content == kept
    assert answered.headers["cache-control"] == "private, no-store"
    with Image.open(io.BytesIO(kept)) as image:
        assert image.size == (450, 600)
        assert not dict(image.getexif())
        assert set(image.info) <= {"srgb", "icc_profile"}
    assert PLACE.encode() not in kept
    assert b"GPS" not in kept


async def test_a_photo_without_a_person_is_refused_with_the_reason(desk: Desk) -> None:
    """And nothing of it stays in the storage; a file that is no picture is not even taken in."""
    out = io.BytesIO()
    Image.new("RGB", (400, 500), "white").save(out, "PNG")
    made = (await desk.add(out.getvalue())).json()
    shown = await desk.looked_at(made["id"])
    assert shown["status"] == "refused"
    assert shown["refusal"]["code"] == "person_not_found"
    photo = await desk.http.get(shown["links"]["photo"])
    assert (photo.status_code, photo.json()["code"]) == (409, "human_model_not_ready")
    text = await desk.add(b"no picture at all" * 10)
    assert (text.status_code, text.json()["code"]) == (422, "not_an_image")
    await desk.settled(0)


UNFIT: list[tuple[dict[str, Any], int, str, str | None]] = [
    ({"obtained_at": "2099-01-01T00:00:00Z"}, 422, "consent_invalid", "obtained_at"),
    ({"expires_at": "2026-02-02T00:00:00Z"}, 409, "consent_expired", "expires_at"),
    ({"expires_at": "2020-02-02T00:00:00Z"}, 422, "invalid", None),
    ({"obtained_at": "2026-02-01T00:00:00"}, 422, "invalid", None),
    ({"subject_name": " "}, 422, "invalid", "subject_name"),
    ({"subject_name": "a\u0000b"}, 422, "invalid", "subject_name"),
    ({"reference": ""}, 422, "invalid", "reference"),
    ({"gps": "x"}, 422, "unknown_parameter", "gps"),
]


async def test_a_model_needs_a_consent_that_holds(desk: Desk) -> None:
    """It says what is wrong where, and nothing is kept."""
    for more, status, code, field in UNFIT:
        response = await desk.add(**more)
        problem = response.json()
        assert (response.status_code, problem["code"]) == (status, code), problem
        assert field is None or field in problem["field"]
    await desk.settled(0)
    assert (await desk.http.get(MODELS)).json()["items"] == []


async def test_what_is_not_a_form_with_both_parts_is_refused(desk: Desk) -> None:
    """A raw photo has nobody's consent."""
    raw = await desk.http.post(MODELS, content=person(), headers=JPEG)
    alone = await desk.http.post(MODELS, files={"file": ("a.jpg", person(), "image/jpeg")})
    assert (raw.status_code, raw.json()["code"]) == (415, "unsupported_media_type")
    assert (alone.status_code, alone.json()["code"]) == (422, "invalid")
    await desk.settled(0)


async def test_models_are_an_entitlement(desk: Desk) -> None:
    """Without it none is taken, and none is used that is there."""
    model = await desk.ready()
    await desk.buys(human_models=False)
    refused = await desk.add()
    rendered = await desk.http.post(_rendering(model["id"]), content=jpegs(1)[0], headers=JPEG)
    assert (refused.status_code, refused.json()["code"]) == (402, "not_in_plan")
    assert (rendered.status_code, rendered.json()["code"]) == (402, "not_in_plan")
    await desk.settled(1)


async def test_the_same_request_again_is_the_same_model(desk: Desk) -> None:
    """Answered as it is now; not after its end, and another request under the key is refused."""
    key = {"idempotency-key": "one person"}
    first = (await desk.add(headers=key)).json()
    await desk.looked_at(first["id"])
    again = await desk.add(headers=key)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert (again.json()["id"], again.json()["status"]) == (first["id"], "ready")
    other = await desk.add(headers=key, reference="another")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    await desk.settled(1)
    await desk.http.delete(f"{MODELS}/{first['id']}")
    gone = await desk.add(headers=key)
    assert (gone.status_code, gone.json()["code"]) == (404, "human_model_not_found")


async def test_a_repeat_after_a_lost_answer_makes_no_second_model(desk: Desk) -> None:
    """Its own upload goes."""
    key = {"idempotency-key": "lost"}
    first = (await desk.add(headers=key)).json()
    await desk.looked_at(first["id"])
    async with desk.gateway.database.platform("forget") as tx:
        await tx.execute("delete from idempotency")
    again = (await desk.add(headers=key)).json()
    assert (again["id"], again["status"]) == (first["id"], "ready")
    await desk.settled(1)


async def test_nobody_else_sees_or_uses_a_model(desk: Desk) -> None:
    """Another tenant's is as if it were not there."""
    model = await desk.ready()
    other = await desk.another()
    url = f"{MODELS}/{model['id']}"
    answers = [
        await other.get(url),
        await other.get(f"{url}/photo"),
        await other.delete(url),
        await other.patch(url, json={"name": "mine"}),
    ]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(404, "human_model_not_found")] * 4
    assert (await other.get(MODELS)).json()["items"] == []
    entitled = desk.tenant.new()
    await desk.buys(entitled, human_models=True)
    with_plan = await desk.another(entitled)
    rendered = await with_plan.post(_rendering(model["id"]), content=jpegs(1)[0], headers=JPEG)
    assert (rendered.status_code, rendered.json()["code"], rendered.json()["field"]) == (
        422,
        "human_model_not_found",
        "human_model",
    )


async def test_who_may_only_look_is_not_told_who_it_is(desk: Desk) -> None:
    """And changes nothing."""
    model = await desk.ready()
    viewer = await desk.another(desk.tenant, frozenset({Permission.HUMAN_MODELS_READ}))
    shown = (await viewer.get(f"{MODELS}/{model['id']}")).json()
    assert shown["consent"]["subject_name"] is None
    assert SUBJECT not in (await viewer.get(MODELS)).text
    refused = await viewer.delete(f"{MODELS}/{model['id']}")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


async def test_a_consent_can_be_ended_and_renewed(desk: Desk) -> None:
    """While it is expired nothing is rendered with the model."""
    model = await desk.ready()
    url = f"{MODELS}/{model['id']}"
    ended = await desk.http.patch(url, json={"consent_expires_at": "2026-02-02T00:00:00Z"})
    assert ended.status_code == 200
    refused = await desk.http.post(_rendering(model["id"]), content=jpegs(1)[0], headers=JPEG)
    assert (refused.status_code, refused.json()["code"]) == (409, "consent_expired")
    before = await desk.http.patch(url, json={"consent_expires_at": "2020-01-01T00:00:00Z"})
    assert (before.status_code, before.json()["code"]) == (422, "consent_invalid")
    renewed = (await desk.http.patch(url, json={"consent_expires_at": None, "name": "Alex"})).json()
    assert (renewed["name"], renewed["consent"]["expires_at"]) == ("Alex", None)
    assert renewed["consent"]["scope"] == CONSENT["scope"]


async def test_listings_come_in_pages(desk: Desk) -> None:
    """The newest first, each once."""
    ids = [(await desk.add()).json()["id"] for _ in range(3)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = (
            await desk.http.get(MODELS, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        ).json()
        seen += [model["id"] for model in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == ids[::-1]


async def test_a_garment_is_shown_on_the_person(desk: Desk) -> None:
    """In the person's own photo, with a verdict; the result outlives the model."""
    model = await desk.ready(photo=person(size=(900, 700)))
    url = _rendering(model["id"]).replace("wait=0", "wait=60")
    rendered = await desk.http.post(url, content=person(3, size=(900, 700)), headers=JPEG)
    assert rendered.status_code == 200, rendered.text
    with Image.open(io.BytesIO(rendered.content)) as image:
        assert image.size == (700, 900)
    assert rendered.headers["image-verdict"] in ("publishable", "review", "rejected")
    await desk.http.delete(f"{MODELS}/{model['id']}")
    again = await desk.http.get(f"/api/v1/images/{rendered.headers['image-id']}/result")
    assert again.content == rendered.content


async def test_nothing_is_left_of_a_deleted_model(desk: Desk) -> None:
    """No object, no row, no stored answer; the results that show it stay."""
    model = await desk.ready(headers={"idempotency-key": "to be deleted"}, name="Planted Title")
    url = f"{MODELS}/{model['id']}"
    await desk.settled(1)
    assert SUBJECT in await desk.rows()
    result = desk.folder / "tenants" / desk.tenant / "batches" / "one" / "result.png"
    result.parent.mkdir(parents=True)
    result.write_bytes(b"a result that shows the person")
    assert (await desk.http.delete(url)).status_code == 204
    assert (await desk.http.delete(url)).status_code == 404
    assert (await desk.http.get(f"{url}/photo")).status_code == 404
    await desk.settled(0)
    rows = await desk.rows()
    for left in (SUBJECT, "Planted Title", CONSENT["scope"], CONSENT["reference"], model["sha256"]):
        assert left not in rows
    assert result.read_bytes() == b"a result that shows the person"


async def test_a_model_that_is_deleted_while_it_is_looked_at_leaves_nothing(desk: Desk) -> None:
    """Whoever is faster."""
    for _ in range(3):
        made = (await desk.add()).json()
        assert (await desk.http.delete(f"{MODELS}/{made['id']}")).status_code == 204
    last = await desk.ready()
    (key,) = await desk.settled(1)
    assert last["id"] in key


async def test_images_that_wait_for_a_deleted_model_fail_by_its_name(desk: Desk) -> None:
    """A batch of them ends, and bills nothing."""
    model = await desk.ready()
    async with desk.batch.platform("no turn for the dispatcher") as tx:
        await tx.fetchrow(sql.lock_dispatch)
        sent = await desk.http.post(_rendering(model["id"]), content=jpegs(1)[0], headers=JPEG)
        assert sent.status_code == 202, sent.text
        await desk.http.delete(f"{MODELS}/{model['id']}")
    async with asyncio.timeout(LIMIT_S):
        while (image := (await desk.http.get(sent.json()["links"]["self"])).json())["status"] in (
            "waiting",
            "rendering",
        ):
            await asyncio.sleep(0.05)
    assert (image["status"], image["failure"]["code"]) == ("failed", "human_model_deleted")
    assert image["billable"] is False


async def test_an_unknown_model_is_no_404_of_the_upload(desk: Desk) -> None:
    """It is a field of the options at fault."""
    response = await desk.http.post(_rendering(HumanModelId.new()), content=jpegs(1)[0], headers=JPEG)
    assert (response.status_code, response.json()["code"], response.json()["field"]) == (
        422,
        "human_model_not_found",
        "human_model",
    )


def _rendering(model_id: str) -> str:
    return f"/api/v1/images?render=on_model&human_model={model_id}&wait=0"
