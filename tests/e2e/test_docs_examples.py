"""Every example of the documentation does what it says, against a running system."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path

import httpx
import pytest

from deploy.local.demo.account import make_enterprise_account
from deploy.local.demo.receiver import receiver
from libs.common.contracts.access import Role
from tests.integration.human_model_desk import CONSENT, person
from tests.servers.examples import Example, all_examples
from tests.servers.photos import jpegs, numbered, zipped
from tests.servers.planted import planted
from tests.servers.system import System
from tests.servers.tokens import member
from tests.unit.tiny_onnx import tiny_model

EXAMPLES = all_examples()
LIMIT_S = 100.0
Surroundings = tuple[Path, dict[str, str]]


@pytest.fixture(scope="module")
def surroundings(system: System, tmp_path_factory: pytest.TempPathFactory) -> Surroundings:
    """A folder with what the pages speak of, and the environment that they have the reader set."""
    folder = tmp_path_factory.mktemp("examples")
    photos = jpegs(3)
    (folder / "coat.jpg").write_bytes(photos[0])
    (folder / "shirt.jpg").write_bytes(photos[0])
    for archive in ("shoot.zip", "spring.zip"):
        (folder / archive).write_bytes(zipped(numbered(photos[1:])))
    (folder / "token").write_text(planted())
    _own_model(folder)
    (folder / "alex.jpg").write_bytes(person())
    (folder / "consent.json").write_text(json.dumps(CONSENT))
    account = asyncio.run(make_enterprise_account(system.supervisor.addresses, "reader"))
    variables = {
        "MANNEQUIN_API_URL": system.api_url,
        "MANNEQUIN_API_KEY": account.key.get_secret_value(),
        "API": system.api_url,
        "KEY": account.key.get_secret_value(),
        "WEBHOOK_URL": "http://127.0.0.1:9/hooks",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    owner = member(system.supervisor.addresses, account.tenant, Role.OWNER)
    variables["MANNEQUIN_OWNER_TOKEN"] = owner.headers["Authorization"].removeprefix("Bearer ")
    variables["BATCH"] = asyncio.run(_delivery(variables, folder))
    return folder, os.environ | variables


def _own_model(folder: Path) -> None:
    """An ONNX file of a tenant's own, and the card that goes with it."""
    (folder / "knitwear.onnx").write_bytes(tiny_model())
    card = {
        "name": "knitwear",
        "input": {"name": "image", "height": 64, "width": 48},
        "output": {"name": "probabilities", "stride": 2, "channels": ["background", "garment", "body"]},
    }
    (folder / "card.json").write_text(json.dumps(card))


async def _delivery(variables: dict[str, str], folder: Path) -> str:
    """A webhook as it came, for pages that verify one; the batch that it tells of."""
    headers = {"authorization": f"Bearer {variables['MANNEQUIN_API_KEY']}"}
    async with (
        httpx.AsyncClient(base_url=variables["MANNEQUIN_API_URL"], headers=headers, timeout=60) as api,
        receiver() as hooks,
    ):
        endpoint = (await api.post("/api/v1/webhook-endpoints", json={"url": hooks.url})).json()
        archive = (folder / "shoot.zip").read_bytes()
        sent = await api.post(
            "/api/v1/batch/process", content=archive, headers={"content-type": "application/zip"}
        )
        sent.raise_for_status()
        arrived = await asyncio.wait_for(hooks.arrivals.get(), LIMIT_S)
        names = {name.lower(): value for name, value in arrived.headers.items()}
        told = {"secret": endpoint["secret"], "headers": names, "body": arrived.body.decode()}
        (folder / "delivery.json").write_text(json.dumps(told))
        await api.delete(f"/api/v1/webhook-endpoints/{endpoint['id']}")
        return str(sent.json()["id"])


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_runs(example: Example, surroundings: Surroundings) -> None:
    """As it stands on its page, all blocks of one kind after each other."""
    folder, environment = surroundings
    done = subprocess.run(
        example.command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def test_the_main_pages_have_every_language() -> None:
    """curl, Python and Node.js, and the SDK where it has the call."""
    kinds = {(example.page.stem, example.title) for example in EXAMPLES}
    for page in ("quick-start", "batches"):
        assert {(page, title) for title in ("curl", "Python", "Python SDK", "Node.js")} <= kinds
    assert {("webhooks", title) for title in ("curl", "Python", "Python SDK", "Node.js")} <= kinds
