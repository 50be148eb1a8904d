"""`mannequin` against a running system."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from deploy.local.demo.receiver import receiver
from libs.client import verify_webhook
from libs.client.cli.session import Exit
from tests.integration.cli_caller import PROGRAM, Terminal, shoot
from tests.servers.system import System


@pytest.fixture(scope="module")
def terminal(system: System) -> Terminal:
    """A tenant's."""
    _, _, key = asyncio.run(system.make_tenant("a shop with a terminal"))
    secret = key.get_secret_value()
    return Terminal({"MANNEQUIN_API_URL": system.api_url, "MANNEQUIN_API_KEY": secret, "COLUMNS": "200"})


def test_a_folder_goes_in_and_results_come_out(terminal: Terminal, tmp_path: Path) -> None:
    """One command for all of it; its answer is the batch as it ended, and can be asked for again."""
    photos = shoot(tmp_path / "shoot", 3)
    options = ("--background", "#ff0000", "--format", "jpeg", "--size", "100")
    batch = terminal.answer("batch", str(photos), "-o", str(tmp_path / "done"), *options)
    assert (batch["status"], batch["counts"]["completed"]) == ("completed", 3)
    with zipfile.ZipFile(tmp_path / "done" / f"{batch['id']}.zip") as archive:
        assert set(archive.namelist()) == {f"photo-00{n}.jpg" for n in range(3)} | {"manifest.json"}
        with archive.open("photo-000.jpg") as file, Image.open(file) as picture:
            assert max(picture.size) == 100

    shown = terminal.answer("batches", "show", batch["id"])
    assert [image["name"] for image in shown["images"]] == [f"photo-00{n}.jpg" for n in range(3)]
    assert batch["id"] in [item["id"] for item in terminal.answer("batches", "list")["items"]]
    saved = terminal.answer("batches", "results", batch["id"], "-o", str(tmp_path / "again"))
    assert zipfile.is_zipfile(saved["file"])


def test_a_batch_with_a_photo_that_fails_says_so_by_its_status(terminal: Terminal, tmp_path: Path) -> None:
    """The others are saved all the same, and the reason is shown."""
    photos = shoot(tmp_path / "shoot", 2)
    (photos / "notes.txt").write_text("no photo")
    batch = terminal.answer("batch", str(photos), "-o", str(tmp_path), status=Exit.SOME_FAILED)
    assert (batch["counts"]["completed"], batch["counts"]["refused"]) == (2, 1)
    assert (tmp_path / f"{batch['id']}.zip").exists()
    assert "notes.txt" in terminal.run("batches", "show", batch["id"]).stdout


def test_an_archive_that_is_none_fails_with_its_reason(terminal: Terminal, tmp_path: Path) -> None:
    """And leaves no empty results behind."""
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04" + bytes(100))
    result = terminal.run("batch", str(tmp_path / "broken.zip"), "-o", str(tmp_path), status=Exit.SOME_FAILED)
    assert "failed" in result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["broken.zip"]


def test_waiting_is_taken_up_again_later(terminal: Terminal, tmp_path: Path) -> None:
    """The same key with the same photos is the same batch; watching saves, too, where it is asked to."""
    photos = shoot(tmp_path / "shoot", 2)
    send = ("batch", str(photos), "--no-wait", "--idempotency-key", f"{tmp_path}")
    batch_id = terminal.run(*send).stdout.strip()
    assert terminal.run(*send).stdout.strip() == batch_id
    terminal.run("batches", "watch", batch_id, "-o", str(tmp_path))
    assert zipfile.is_zipfile(tmp_path / f"{batch_id}.zip")
    for refused in ("cancel", "retry"):
        terminal.run("batches", refused, batch_id, status=Exit.REFUSED)


def test_an_interrupted_batch_goes_on(terminal: Terminal, tmp_path: Path) -> None:
    """Ctrl-C ends the command with 130 and names the one that goes on with it."""
    photos = shoot(tmp_path / "shoot", 60, (400, 300))
    command = (*PROGRAM, "batch", str(photos), "-o", str(tmp_path))
    environment = os.environ | dict(terminal.environment)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        batch_id = process.stderr.readline().split()[-1]
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(20) == Exit.INTERRUPTED, rest
    assert f"mannequin batches watch {batch_id}" in rest
    assert "Traceback" not in rest
    assert terminal.answer("batches", "watch", batch_id)["counts"]["completed"] == 60


def test_photos_are_rendered_one_by_one(terminal: Terminal, tmp_path: Path) -> None:
    """What is no photo fails alone; a result has its photo's name and replaces none."""
    photos = shoot(tmp_path / "shoot", 2)
    (photos / "notes.txt").write_text("no photo")
    files = [str(path) for path in sorted(photos.iterdir())]
    before = {path: Path(path).read_bytes() for path in files}
    options = ("-o", str(photos), "--format", "jpeg", "--background", "#ffffff")
    images = terminal.answer("render", *files, *options, status=Exit.SOME_FAILED)
    by_name = {image["name"]: image for image in images}
    assert by_name["notes.txt"]["failure"]["code"] == "not_an_image"
    assert by_name["photo-001.jpg"]["status"] == "completed"
    assert {path: Path(path).read_bytes() for path in files} == before
    with Image.open(photos / "photo-001 (2).jpg") as picture:
        assert picture.size == (150, 200)


def test_renditions_and_masks_are_saved_beside_the_result(terminal: Terminal, tmp_path: Path) -> None:
    """Under the photo's name and their own."""
    photo = str(shoot(tmp_path / "shoot", 1) / "photo-000.jpg")
    more = ("--artefacts", "--no-hollow", "--rendition", 'thumb={"size": 50, "format": "webp"}')
    [image] = terminal.answer("render", photo, "-o", str(tmp_path / "done"), *more)
    names = {path.name for path in (tmp_path / "done").iterdir()}
    masks = {f"photo-000.{file['name']}.png" for file in image["artefacts"]}
    assert names == {"photo-000.png", "photo-000.thumb.webp", *masks}
    assert "photo-000.alpha.png" in masks
    with Image.open(tmp_path / "done" / "photo-000.thumb.webp") as picture:
        assert max(picture.size) == 50


def test_a_front_and_its_inside_shot_are_one_result(terminal: Terminal, tmp_path: Path) -> None:
    """Found by the words that are given; the photo that went into another's is no failure."""
    first, second = sorted(shoot(tmp_path / "shoot", 2).iterdir())
    first.rename(first.with_name("coat_front.jpg"))
    second.rename(second.with_name("coat_lining.jpg"))
    folder = ("-o", str(tmp_path), "--inside-pattern", "lining")
    batch = terminal.answer("batch", str(tmp_path / "shoot"), *folder)
    assert (batch["counts"]["completed"], batch["counts"]["paired"]) == (1, 1)
    assert "1 of 1 images completed" in terminal.run("batches", "watch", batch["id"]).stdout


def test_an_option_that_does_not_fit_ends_the_command(terminal: Terminal, tmp_path: Path) -> None:
    """The API's own words say which one, and what would."""
    photos = shoot(tmp_path / "shoot", 1)
    photo = str(photos / "photo-000.jpg")
    result = terminal.run("render", photo, "--size", "3", "-o", str(tmp_path), status=Exit.REFUSED)
    assert "(size)" in result.stderr
    assert len(result.stderr.splitlines()) == 1


async def test_webhook_endpoints_are_kept_from_the_terminal(terminal: Terminal) -> None:
    """From the registration to the last delivery."""
    async with receiver() as hooks:
        add = ("webhooks", "add", hooks.url, "--type", "batch.failed", "--description", "tests")
        made = await asyncio.to_thread(terminal.answer, *add)
        assert made["secret"].startswith("whsec_")
        delivery = await asyncio.to_thread(terminal.answer, "webhooks", "test", made["id"])
        arrived = await asyncio.wait_for(hooks.arrivals.get(), 20)
        assert verify_webhook(made["secret"], arrived.headers, arrived.body)["type"] == "webhook.test"
        await asyncio.to_thread(terminal.run, "webhooks", "redeliver", made["id"], delivery["id"])
        again = await asyncio.wait_for(hooks.arrivals.get(), 20)
        assert again.headers["webhook-id"] == arrived.headers["webhook-id"]
    listed = await asyncio.to_thread(terminal.answer, "webhooks", "list")
    assert [(item["description"], item["secret"]) for item in listed["items"]] == [("tests", None)]
    sent = await asyncio.to_thread(terminal.answer, "webhooks", "deliveries", made["id"])
    assert [item["id"] for item in sent["items"]] == [delivery["id"]]
    rotated = await asyncio.to_thread(terminal.answer, "webhooks", "rotate", made["id"], "--overlap", "0")
    assert rotated["secret"] != made["secret"]
    await asyncio.to_thread(terminal.run, "webhooks", "remove", made["id"])
    gone = ("webhooks", "deliveries", made["id"])
    await asyncio.to_thread(terminal.run, *gone, status=Exit.NOT_FOUND)


def test_a_batch_of_nobody_is_not_found(terminal: Terminal) -> None:
    """Nor is another tenant's, which the tests of the API see to."""
    terminal.run("batches", "show", f"bat_{'0' * 26}", status=Exit.NOT_FOUND)
    terminal.run("batches", "watch", f"bat_{'0' * 26}", status=Exit.NOT_FOUND)


def test_operators_make_tenants_and_their_keys(system: System) -> None:
    """A key opens the API once, and does not any more a second after it was revoked."""
    bus_url = system.supervisor.addresses.bus_url.get_secret_value()
    operator = Terminal({"MANNEQUIN_BUS_URL": bus_url, "COLUMNS": "200"})
    tenant = operator.run("tenants", "create", "Made [bold]here[/]").stdout.strip()
    assert "Made [bold]here[/]" in operator.run("tenants", "list").stdout
    issued = operator.answer("keys", "issue", tenant, "--mode", "test", "--label", "till")
    assert issued["secret"].startswith("im_test_")
    listed = operator.run("keys", "list", tenant).stdout
    assert issued["key"]["id"] in listed
    assert issued["secret"] not in listed

    caller = ("batches", "list", "--api-url", system.api_url, "--api-key", issued["secret"])
    _until(operator, caller, Exit.OK)
    operator.run("keys", "revoke", tenant, issued["key"]["id"])
    _until(operator, caller, Exit.UNAUTHORIZED)
    operator.run("keys", "revoke", tenant, f"key_{'0' * 26}", status=Exit.NOT_FOUND)
    operator.run("keys", "issue", "no-tenant", status=Exit.USAGE)


def _until(operator: Terminal, args: tuple[str, ...], status: Exit) -> None:
    """Runs the command until it ends so: the gateway hears of keys by an event, a moment later."""
    for _ in range(50):
        try:
            operator.run(*args, status=status)
        except AssertionError as error:
            last = error
        else:
            return
    raise last
