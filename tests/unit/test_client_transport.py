"""The SDK against a server that fails in every way there is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from libs.client import AsyncMannequin, Mannequin
from libs.client.errors import (
    ConnectionFailed,
    MannequinError,
    Misconfigured,
    NotFound,
    RateLimited,
    Refused,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
    WaitTimeout,
)
from libs.client.models import Event
from libs.client.retry import RetryPolicy
from tests.unit.client_server import Answer, Request, Script, serving

KEY = "im_test_not-a-key"
QUICK = RetryPolicy(attempts=3, base_s=0.001)
BATCH = {"id": "bat_1", "status": "processing"}
ENDED = {"id": "bat_1", "status": "completed", "counts": {"total": 1, "completed": 1}}


def client(server: Script) -> Mannequin:
    return Mannequin(KEY, server.url, retry=QUICK)


def answered(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode())


def problem(status: int, **headers: str) -> Answer:
    return Answer(status, b'{"code": "c", "detail": "d"}', headers)


def streamed(*events: tuple[str, int, Any]) -> Answer:
    lines = [f"id: {id_}\nevent: {kind}\ndata: {json.dumps(data)}\n\n" for kind, id_, data in events]
    return Answer(200, "".join(lines).encode(), {"content-type": "text/event-stream"})


@pytest.mark.parametrize("failure", [problem(503), problem(429), problem(502), Answer(cut=True)])
def test_what_passes_is_tried_again_with_the_same_idempotency_key(failure: Answer) -> None:
    """So that a POST that did arrive is not done twice."""
    with serving(failure, failure, answered(BATCH)) as server, client(server) as api:
        assert api.batches.cancel("bat_1").id == "bat_1"
    keys = [request.headers["idempotency-key"] for request in server.requests]
    assert len(keys) == 3
    assert len(set(keys)) == 1


@pytest.mark.parametrize(
    ("status", "error"), [(401, Unauthorized), (404, NotFound), (422, Refused), (500, Unavailable)]
)
def test_what_does_not_pass_is_not_tried_again(status: int, error: type[MannequinError]) -> None:
    """The same request would be refused again."""
    with serving(problem(status)) as server, client(server) as api, pytest.raises(error):
        api.batches.get("bat_1")
    assert len(server.requests) == 1


def test_retrying_ends() -> None:
    """With the last error."""
    with serving(problem(503)) as server, client(server) as api, pytest.raises(Unavailable):
        api.batches.get("bat_1")
    assert len(server.requests) == QUICK.attempts


def test_a_server_that_asks_for_a_long_pause_gets_its_error_raised() -> None:
    """A caller should not sleep for an hour without having been asked."""
    answer = problem(429, **{"retry-after": "3600"})
    with serving(answer) as server, client(server) as api, pytest.raises(RateLimited) as caught:
        api.batches.get("bat_1")
    assert caught.value.retry_after == 3600
    assert len(server.requests) == 1


def test_a_repeated_delete_that_finds_nothing_has_done_its_work() -> None:
    """The first one's answer was lost on the way; a first that finds nothing is an error."""
    with serving(Answer(cut=True), problem(404)) as server, client(server) as api:
        api.webhook_endpoints.delete("whe_1")
        with pytest.raises(NotFound):
            api.webhook_endpoints.delete("whe_1")
    assert [request.method for request in server.requests] == ["DELETE"] * 3


def test_nobody_there_is_said_in_one_line() -> None:
    """With the address that was tried."""
    with serving(answered(BATCH)) as server:
        url = server.url
    with Mannequin(KEY, url, retry=QUICK) as api, pytest.raises(ConnectionFailed, match=url):
        api.batches.get("bat_1")


@pytest.mark.parametrize("answer", [Answer(200, b"<html>"), Answer(301, b""), answered({"no": "batch"})])
def test_an_answer_of_something_else_is_told_apart(answer: Answer) -> None:
    """A captive portal, a proxy, a wrong address."""
    with serving(answer) as server, client(server) as api, pytest.raises(UnexpectedAnswer):
        api.batches.get("bat_1")


@pytest.mark.parametrize(
    ("key", "url"),
    [(KEY, "127.0.0.1:8080"), (KEY, "ftp://a.example"), (KEY, "http://a:b"), ("im_…", "http://a.example")],
)
def test_a_client_that_can_not_work_is_not_made(key: str, url: str) -> None:
    """And a key that is none is not repeated in the error."""
    with pytest.raises(Misconfigured) as caught:
        Mannequin(key, url)
    assert key not in str(caught.value)


def test_a_client_without_a_key_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by argument nor by the environment."""
    monkeypatch.delenv("MANNEQUIN_API_KEY", raising=False)
    with pytest.raises(Misconfigured):
        Mannequin()


def test_the_environment_sets_a_client_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the command line's help says."""
    with serving(answered(BATCH)) as server:
        monkeypatch.setenv("MANNEQUIN_API_KEY", KEY)
        monkeypatch.setenv("MANNEQUIN_API_URL", server.url + "/")
        with Mannequin() as api:
            api.batches.get("bat_1")
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.requests[0].path == "/api/v1/batches/bat_1"


def test_ids_stay_in_their_place_of_the_path() -> None:
    """Whatever somebody types."""
    with serving(answered(BATCH)) as server, client(server) as api:
        api.batches.get("../webhook-endpoints?x#y")
    assert server.requests[0].path == "/api/v1/batches/..%2Fwebhook-endpoints%3Fx%23y"


def test_an_upload_says_its_size_and_counts_its_bytes_once(tmp_path: Path) -> None:
    """Bytes that have to go by again are taken back from the progress first."""
    archive = tmp_path / "a.zip"
    archive.write_bytes(bytes(3_000_000))
    told: list[int] = []
    with serving(problem(503), answered(BATCH, 202)) as server, client(server) as api:
        api.batches.process(archive, options={"crop": True, "size": 64}, progress=told.append)
    assert [len(request.body) for request in server.requests] == [3_000_000, 3_000_000]
    assert server.requests[0].headers["content-length"] == "3000000"
    assert server.requests[0].path == "/api/v1/batch/process?crop=true&size=64"
    assert sum(told) == 3_000_000
    assert min(told) == -3_000_000


def test_a_broken_download_is_begun_anew_and_never_looks_whole(tmp_path: Path) -> None:
    """It is a file of another name until it is."""
    target = tmp_path / "results.zip"
    with serving(Answer(body=b"half", cut=True), Answer(body=b"the whole")) as server, client(server) as api:
        api.batches.download("bat_1", target)
    assert target.read_bytes() == b"the whole"
    broken = Answer(body=b"half", cut=True)
    with serving(broken) as server, client(server) as api, pytest.raises(ConnectionFailed):
        api.batches.download("bat_1", tmp_path / "other.zip")
    assert not (tmp_path / "other.zip").exists()


def test_a_secret_that_was_lost_on_its_way_is_rotated() -> None:
    """The API gives it once; a repeated request has null in its place."""
    endpoint = {"id": "whe_1", "url": "https://a.example"}
    answers = Answer(cut=True), answered({**endpoint, "secret": None}), answered({**endpoint, "secret": "s"})
    with serving(*answers) as server, client(server) as api:
        made = api.webhook_endpoints.create("https://a.example")
    assert made.secret is not None
    assert made.secret.get_secret_value() == "s"
    assert server.requests[2].path == "/api/v1/webhook-endpoints/whe_1/rotate-secret"
    assert json.loads(server.requests[2].body) == {"overlap_s": 0}
    assert "whsec" not in repr(made)


def test_images_are_listed_page_by_page() -> None:
    """Until there is no next one."""
    pages = (
        answered({"items": [{"id": "img_1", "batch_id": "b", "status": "failed"}], "next_cursor": "c"}),
        answered({"items": [{"id": "img_2", "batch_id": "b", "status": "failed"}]}),
    )
    with serving(*pages) as server, client(server) as api:
        assert [image.id for image in api.batches.images("bat_1", ["failed", "refused"])] == [
            "img_1",
            "img_2",
        ]
    assert (
        server.requests[1].path
        == "/api/v1/batches/bat_1/images?status=failed&status=refused&cursor=c&limit=500"
    )


def test_waiting_goes_on_where_a_stream_broke() -> None:
    """After the last event that was heard; what happened in between is looked up."""
    half = streamed(("image", 7, {}))
    half.cut = True
    events: list[Event] = []
    whole = streamed(("image", 8, {}), ("batch", 8, ENDED))
    with serving(half, answered(BATCH), whole) as server, client(server) as api:
        batch = api.batches.wait("bat_1", on_event=events.append)
    assert batch.status == "completed"
    assert [event.kind for event in events] == ["image", "progress", "image", "batch"]
    assert [request.headers.get("last-event-id") for request in server.requests] == [None, None, "7"]


@pytest.mark.parametrize("stream", [Answer(406, b""), Answer(200, b""), Answer(body=b"", cut=True)])
def test_waiting_polls_where_there_is_no_stream(stream: Answer) -> None:
    """A proxy that lets no stream through costs promptness, not the result."""
    looks = iter([BATCH, BATCH, BATCH, ENDED])

    def play(request: Request) -> Answer:
        return stream if request.path.endswith("/events") else answered(next(looks))

    with serving(play) as server, client(server) as api:
        assert api.batches.wait("bat_1").status == "completed"
    assert sum(request.path.endswith("/events") for request in server.requests) == 2


def test_waiting_outlives_a_gateway_that_is_away() -> None:
    """And goes on with the stream when that is back, however often it was asked for in vain."""
    round_of_vain = [problem(503)] * (1 + QUICK.attempts)
    answers = round_of_vain * 2 + [streamed(("batch", 1, ENDED))]
    with serving(*answers) as server, client(server) as api:
        assert api.batches.wait("bat_1").status == "completed"
    assert server.requests[-1].path.endswith("/events")


def test_waiting_has_an_end_though_nothing_happens() -> None:
    """A stream of nothing but heartbeats included."""

    def play(request: Request) -> Answer:
        return Answer(body=b": still here\n\n") if request.path.endswith("/events") else answered(BATCH)

    with serving(play) as server, client(server) as api, pytest.raises(WaitTimeout, match="bat_1"):
        api.batches.wait("bat_1", timeout_s=0.2)


@pytest.mark.parametrize(("status", "error"), [(401, Unauthorized), (404, NotFound)])
def test_waiting_for_what_is_not_there_ends_at_once(status: int, error: type[MannequinError]) -> None:
    """No patience brings it."""
    with serving(problem(status)) as server, client(server) as api, pytest.raises(error):
        api.batches.wait("bat_1")
    assert len(server.requests) == 1


def test_a_photo_is_rendered_in_one_call(tmp_path: Path) -> None:
    """Sent, waited for through its batch of one, and saved."""
    photo = tmp_path / "coat.jpg"
    photo.write_bytes(b"photo")
    image = {"id": "img_1", "batch_id": "bat_1", "status": "waiting"}
    answers = (
        answered(image, 202),
        streamed(("batch", 1, ENDED)),
        answered({**image, "status": "completed"}),
        Answer(body=b"picture"),
    )
    with serving(*answers) as server, client(server) as api:
        assert api.images.render(photo, tmp_path / "coat.png").status == "completed"
    assert (tmp_path / "coat.png").read_bytes() == b"picture"
    assert server.requests[0].headers["content-type"] == "image/jpeg"
    assert server.requests[0].path == "/api/v1/images?wait=0&name=coat.jpg"


async def test_the_asynchronous_client_does_all_this_too(tmp_path: Path) -> None:
    """Tries again, takes waiting up where it broke, polls, and saves whole files only."""
    archive = tmp_path / "a.zip"
    archive.write_bytes(bytes(2_000_000))
    half = streamed(("image", 7, {}))
    half.cut = True
    told: list[int] = []
    answers = (
        *(problem(503), answered(BATCH, 202)),
        *(half, answered(BATCH), streamed(("batch", 8, ENDED))),
        *(Answer(body=b"half", cut=True), Answer(body=b"the whole")),
    )
    with serving(*answers) as server:
        async with AsyncMannequin(KEY, server.url, retry=QUICK) as api:
            batch = await api.batches.process(archive, progress=told.append)
            assert (await api.batches.wait(batch.id)).status == "completed"
            await api.batches.download(batch.id, tmp_path / "results.zip")
    assert sum(told) == 2_000_000
    assert server.requests[4].headers["last-event-id"] == "7"
    assert (tmp_path / "results.zip").read_bytes() == b"the whole"
