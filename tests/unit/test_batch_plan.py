"""From an archive to the plan of its pairs, whatever its manifest is."""

from __future__ import annotations

import pytest

from libs.common.contracts.batch import BatchOptions
from services.batch.archive import Entry, open_archive
from services.batch.plan import Plan, make_plan
from tests.unit.archive_samples import JPEG, BytesReader, Part, build

PHOTOS = [Part(b"s/A_front.jpg"), Part(b"s/A_inside.jpg"), Part(b"s/B.jpg"), Part(b"s/C.jpg")]
ROWS = b"file,inside\nB.jpg,C.jpg\n"


async def plan_of(*parts: Part) -> Plan:
    reader = BytesReader(build(parts))
    return await make_plan(await open_archive(reader), reader, BatchOptions())


def fronts(plan: Plan) -> dict[str, str]:
    """Name of the inside shot by that of its front."""
    return {plan.pairs[a].name: plan.pairs[b].name for a, b in plan.pairing.inside_of.items()}


async def test_pairs_are_found_by_name_and_by_the_manifest() -> None:
    """Whose paths start at its own folder; it is no photo itself."""
    plan = await plan_of(*PHOTOS, Part(b"s/manifest.csv", ROWS))
    assert fronts(plan) == {"s/A_front.jpg": "s/A_inside.jpg", "s/B.jpg": "s/C.jpg"}
    assert (plan.manifest, plan.fault) == (4, None)
    inside = plan.inside(2)
    assert isinstance(inside, Entry)
    assert inside.name == "s/C.jpg"
    assert [plan.is_inside(index) for index in range(4)] == [False, True, False, True]


async def test_the_least_deep_manifest_counts() -> None:
    """Others are entries that are no picture."""
    plan = await plan_of(Part(b"s/manifest.csv", ROWS), *PHOTOS, Part(b"manifest.csv", b"file\ns/B.jpg"))
    assert plan.manifest == 5
    assert fronts(plan) == {"s/A_front.jpg": "s/A_inside.jpg"}


@pytest.mark.parametrize(
    ("part", "code"),
    [
        (Part(b"s/manifest.csv", b"no columns"), "manifest_unreadable"),
        (Part(b"s/manifest.csv", ROWS, central={"crc": 1}, local={"crc": 1}), "manifest_unreadable"),
        (Part(b"s/manifest.csv", ROWS + b" " * 2_000_000), "manifest_unreadable"),
        (Part(b"s/manifest.csv", ROWS + b"D.jpg,\n" * 7), "manifest_rows_ignored"),
        (Part(b"s/manifest.csv", ROWS, attributes=0o120777 << 16), None),
        (Part(b"s/manifest.csv", b""), None),
        (Part(b"s/manifest.csv", ROWS, local={"name": b"s/manifest.CSV"}), None),
        (Part(b"s/manifest.csv", JPEG), None),
    ],
)
async def test_a_bad_manifest_leaves_the_pairs_to_the_names(part: Part, code: str | None) -> None:
    """With a fault of its own, or refused as an entry like any other; a picture by that name is a photo."""
    plan = await plan_of(*PHOTOS, part)
    assert (plan.fault.code if plan.fault else None) == code
    assert fronts(plan)["s/A_front.jpg"] == "s/A_inside.jpg"
    assert (plan.manifest is None) == (code is None)


async def test_many_problems_are_told_in_a_line() -> None:
    """The first ones, and how many more there are."""
    plan = await plan_of(*PHOTOS, Part(b"manifest.csv", b"file\n" + b"none.jpg\n" * 9))
    assert plan.fault is not None
    assert plan.fault.detail.endswith("; and 4 more")
    assert len(plan.fault.detail) < 300


async def test_an_archive_without_pairs_costs_one_more_look_at_its_directory() -> None:
    """And nothing is kept."""
    plan = await plan_of(Part(b"a.jpg"), Part(b"b.jpg"))
    assert not plan.pairs
    assert plan.described(0) == {"paired_with": None, "garment": None, "sku": None, "note": None}
