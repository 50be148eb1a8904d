"""Whose account computes, what that came to, and what a batch would: over the API of a running system."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.demo.account import make_enterprise_account
from tests.integration.cli_caller import Terminal, shoot
from tests.servers.keys import stored_key, when_planned
from tests.servers.photos import jpegs, numbered, zipped
from tests.servers.planted import MARK, planted
from tests.servers.system import Caller, System

ZIP = {"content-type": "application/zip"}
JPEG = {"content-type": "image/jpeg"}
POLICY = "/api/v1/routing-policy"
ROUTE = ("x-mannequin-route", "x-mannequin-payer", "x-mannequin-credential")
LIMIT_S = 30.0


@pytest.fixture
async def caller(system: System) -> AsyncIterator[Caller]:
    async with system.tenant() as caller:
        yield caller


@pytest.fixture
async def enterprise(system: System) -> AsyncIterator[Caller]:
    """A tenant whose plan has keys of its own and falling back."""
    account = await make_enterprise_account(system.supervisor.addresses, "an enterprise")
    headers = account.headers
    async with httpx.AsyncClient(base_url=system.api_url, headers=headers, timeout=60) as client:
        await asyncio.to_thread(_wait_for_the_plan, system.api_url, headers)
        yield Caller(account.tenant, account.key_id, account.key, client)


def stored(system: System, caller: Caller) -> list[Path]:
    root = Path(httpx.URL(system.supervisor.addresses.objects_url).path)
    return [path for path in root.glob(f"tenants/{caller.id}/**/*") if path.is_file()]


async def test_a_dry_run_tells_what_a_batch_would_be_and_leaves_nothing(
    system: System, caller: Caller
) -> None:
    """No batch, no object, no charge; and its idempotency key is free for the real one."""
    photos = jpegs(2)
    archive = zipped([*numbered(photos), ("again.jpg", photos[0]), ("notes.txt", b"no photo")])
    headers = {**ZIP, "idempotency-key": "looked at first"}
    looked = await caller.client.post(
        "/api/v1/batch/process?dry_run=true&size=64", content=archive, headers=headers
    )
    found = looked.json()
    assert looked.status_code == 200, looked.text
    assert (found["billable_at_most"], found["duplicates"], found["waiting"]) == (2, 1, 0)
    (share,) = found["routes"]
    assert (share["provider"], share["payer"], share["images"]) == ("onnx", "platform", 2)
    assert Decimal(found["cost"]) == 2 * Decimal(share["price"])
    assert stored(system, caller) == []
    assert (await caller.client.get("/api/v1/batches")).json()["items"] == []
    real = await caller.client.post("/api/v1/batch/process?size=64", content=archive, headers=headers)
    assert real.status_code == 202, real.text
    await caller.ended(real.json()["id"])


@pytest.mark.parametrize(
    ("content", "query", "status", "code"),
    [
        (b"no zip", "", 422, "not_a_zip"),
        (b"", "", 422, "malformed_body"),
        (b"PK", "&size=1", 422, "invalid"),
    ],
)
async def test_a_dry_run_of_what_is_no_batch_says_why(
    system: System, caller: Caller, content: bytes, query: str, status: int, code: str
) -> None:
    """At once, where a real batch would tell it later."""
    url = f"/api/v1/batch/process?dry_run=true{query}"
    response = await caller.client.post(url, content=content, headers=ZIP)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert stored(system, caller) == []


async def test_a_result_and_its_charge_say_who_computed_it(caller: Caller) -> None:
    """In the headers, the image, the report and its CSV, which agree."""
    rendered = await caller.client.post("/api/v1/images?wait=60&size=64", content=jpegs(1)[0], headers=JPEG)
    assert rendered.status_code == 200, rendered.text
    assert [rendered.headers.get(name) for name in ROUTE] == ["onnx", "platform", None]
    image = (await caller.client.get(f"/api/v1/images/{rendered.headers['image-id']}")).json()
    assert (image["route"]["payer"], image["route"]["fallback"], image["parked"]) == ("platform", False, None)
    assert image["route"]["reason"]
    report = (await caller.client.get("/api/v1/usage?group_by=provider,payer")).json()
    (row,) = report["rows"]
    assert (row["provider"], row["payer"], row["day"], row["images"]) == ("onnx", "platform", None, 1)
    assert Decimal(row["cost"]) == Decimal(image["route"]["cost"]) > 0
    listed = await caller.client.get("/api/v1/usage?group_by=provider,payer", headers={"accept": "text/csv"})
    (line,) = csv.DictReader(io.StringIO(listed.text))
    assert (line["payer"], Decimal(line["cost"])) == ("platform", Decimal(row["cost"]))
    savings = (await caller.client.get("/api/v1/usage/savings")).json()
    assert (savings["total"]["images"], savings["total"]["byok_images"]) == (1, 0)
    assert Decimal(savings["total"]["moved_share"]) == 0


@pytest.mark.parametrize("policy", ["byok_only", "byok_then_platform"])
async def test_a_plan_without_keys_has_no_policy_for_them(caller: Caller, policy: str) -> None:
    """The policy stays what it was."""
    refused = await caller.client.put(POLICY, json={"policy": policy})
    assert (refused.status_code, refused.json()["code"]) == (409, "byok_not_in_plan")
    assert (await caller.client.get(POLICY)).json()["policy"] == "platform"


async def test_an_image_without_a_route_waits_with_the_reason_until_the_policy_gives_it_one(
    enterprise: Caller,
) -> None:
    """Shown in the image and counted in the batch; nothing is computed on the platform meanwhile."""
    http = enterprise.client
    set_ = await http.put(POLICY, json={"policy": "byok_only", "when_unavailable": "wait"})
    assert (set_.status_code, set_.json()["policy"]) == (200, "byok_only")
    posted = await http.post("/api/v1/batch/process?size=64", content=zipped(numbered(jpegs(1))), headers=ZIP)
    batch = posted.json()
    (image,) = (await _until(http, batch["links"]["images"], _parked))["items"]
    assert (image["status"], image["route"]) == ("waiting", None)
    assert len(image["parked"]) > 10
    assert (await http.get(batch["links"]["self"])).json()["counts"]["parked"] == 1
    await http.put(POLICY, json={"policy": "platform"})
    assert (await enterprise.ended(batch["id"]))["counts"]["completed"] == 1
    done = (await http.get(image["links"]["self"])).json()
    assert (done["parked"], done["route"]["payer"]) == (None, "platform")


async def test_a_key_is_stored_shown_and_removed_from_a_terminal(
    system: System, enterprise: Caller, tmp_path: Path
) -> None:
    """Its endpoint is nobody's, which the health says; the secret is nowhere in what is printed."""
    file = tmp_path / "token"
    file.write_text(planted())
    terminal = Terminal(
        {
            "MANNEQUIN_API_URL": system.api_url,
            "MANNEQUIN_API_KEY": enterprise.key.get_secret_value(),
            "COLUMNS": "200",
        }
    )

    def at_the_terminal() -> None:
        add = ("credentials", "add", "open-inference", "--label", "off", "--set", "url=http://127.0.0.1:9")
        made = terminal.answer(*add, "--secret-file", f"bearer={file}")
        printed = [terminal.run("credentials", command).stdout for command in ("list", "providers")]
        assert made["id"] in printed[0]
        assert MARK not in "".join(printed)
        replaced = terminal.run(
            "credentials", "replace", made["id"], "--secret-file", f"bearer={file}", status=6
        )
        assert "not found to work" in replaced.stderr
        assert terminal.answer("credentials", "disable", made["id"])["enabled"] is False
        terminal.run("credentials", "remove", made["id"])
        assert terminal.answer("credentials", "list")["items"] == []
        assert terminal.answer("routing", "show")["policy"] == "platform"
        assert terminal.answer("usage")["rows"] == []
        found = terminal.answer("batch", str(shoot(tmp_path / "shoot", 1)), "--dry-run")
        assert found["billable_at_most"] == 1

    await asyncio.to_thread(at_the_terminal)


def _wait_for_the_plan(api_url: str, headers: dict[str, str]) -> None:
    """Until both services that look at the plan have heard of it."""
    with httpx.Client(base_url=api_url, headers=headers, timeout=60) as client:
        when_planned(lambda: client.put(POLICY, json={"policy": "byok_only"}))
        client.put(POLICY, json={"policy": "platform"}).raise_for_status()
        client.delete(f"/api/v1/credentials/{stored_key(client)['id']}").raise_for_status()


def _parked(page: dict[str, Any]) -> bool:
    return any(image["parked"] for image in page["items"])


async def _until(http: httpx.AsyncClient, url: str, condition: Any) -> dict[str, Any]:
    async with asyncio.timeout(LIMIT_S):
        while True:
            found: dict[str, Any] = (await http.get(url)).json()
            if condition(found):
                return found
            await asyncio.sleep(0.05)
