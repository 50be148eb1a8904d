"""A tenant takes everything out and has itself erased, through the API of a running system."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

from deploy.operator.erasure import genuine
from deploy.operator.scan import Findings, scan
from libs.client.cli.session import Exit
from libs.common.contracts.erasure import Erasure
from tests.integration.test_operator import Operator
from tests.servers.erasing import completed, left_of, owner_of, places_of, rendered
from tests.servers.system import System

NOTHING: Findings = {"database": {}, "objects": {}, "broker": {}, "vault": {}}


async def test_a_tenant_leaves_with_its_data_and_nothing_stays(system: System, tmp_path: Path) -> None:
    """The export has its images, the certificate alone tells of it, and another tenant lost nothing."""
    async with system.tenant("a shop that leaves") as gone, system.tenant("a shop that stays") as other:
        batch = await rendered(system, gone, tmp_path)
        await rendered(system, other, tmp_path, 1)
        before = await left_of_other(system, other.id)
        async with await owner_of(system, gone.id) as owner:
            archive = await owner.get("/api/v1/tenant/export")
            refused = await owner.post("/api/v1/tenant/erase", json={"confirm": "another shop"})
            asked = await owner.post("/api/v1/tenant/erase", json={"confirm": "a shop that leaves"})
        assert archive.status_code == 200, archive.text
        files = zipfile.ZipFile(io.BytesIO(archive.content))
        index = {file["path"]: file for file in json.loads(files.read("index.json"))["files"]}
        assert index["data/batch/images.jsonl"]["count"] == 3
        assert sum(f"/{batch.id}/" in path for path in index) > 3
        assert gone.key.get_secret_value().encode() not in archive.content
        assert (refused.status_code, refused.json()["code"]) == (422, "not_confirmed")
        assert asked.status_code == 202, asked.text
        assert asked.headers["location"].endswith(f"/api/v1/erasures/{asked.json()['id']}")
        done = await completed(system, asked.json()["id"])
        assert (await gone.client.get("/api/v1/batches")).status_code in (401, 403)
        assert await left_of(system.supervisor, gone.id, "a shop that leaves") == NOTHING
        assert await left_of_other(system, other.id) == before
        assert (await other.client.get("/api/v1/batches")).json()["items"]
    certificate = done.pop("certificate")
    assert genuine(Erasure.model_validate(done | certificate))
    assert json.loads(certificate["statement"])["removed"]["batch"]["images"] == 3


async def left_of_other(system: System, tenant: str) -> dict[str, int]:
    """How many places each part of the system has something of a tenant in."""
    found = await scan(places_of(system.supervisor), [tenant])
    return {place: len(where) for place, where in found.items() if place in ("objects", "vault")}


async def test_the_platform_erases_a_tenant_and_shows_it(system: System, tmp_path: Path) -> None:
    """At a command line: its name is typed, the certificate is genuine, and a scan finds nothing."""
    here = system.supervisor
    terminal = Operator(
        {
            "MANNEQUIN_BUS_URL": here.addresses.bus_url.get_secret_value(),
            "MANNEQUIN_ADMIN_URL": here.postgres.url,
            "MANNEQUIN_OBJECTS_URL": here.addresses.objects_url,
            "VAULT_ADDR": here.vault.url,
            "VAULT_CACERT": str(here.vault.ca),
            "KEYVAULT_APPROLE_FOLDER": str(here.vault.approles),
            "COLUMNS": "240",
        }
    )
    async with system.tenant("a shop to be erased") as gone:
        await rendered(system, gone, tmp_path, 1)
        found = await terminal.run("tenants", "scan", gone.id, status=Exit.SOME_FAILED)
        assert "batch.images.tenant_id" in found
        assert f"tenants/{gone.id}/" in found
        await terminal.run("tenants", "erase", gone.id, "--confirm", "another", status=Exit.REFUSED)
        erasure = (await terminal.run("tenants", "erase", gone.id, keys="a shop to be erased\n")).split()[-1]
        await completed(system, erasure)
        assert not any((await left_of(here, gone.id)).values())
        await terminal.run("tenants", "scan", gone.id, "--also", "a shop to be erased")
        statement = json.loads(await terminal.run("tenants", "certificate", erasure, "--verify"))
    assert (statement["erasure"], statement["requested_by"]) == (erasure, "operator")
    assert statement["removed"]["batch"]["images"] == 1
