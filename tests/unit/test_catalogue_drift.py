"""A batch's drift: each photo against the median of those like it."""

from __future__ import annotations

import math

import pytest

from libs.common.catalogue.drift import Sighting, drifts
from libs.common.catalogue.stance import Kind, stance_of
from libs.common.contracts.ids import ImageId
from libs.common.contracts.inference import Landmarks
from libs.common.contracts.options import GarmentChoice


def sighting(left: tuple[float, float], right: tuple[float, float], width: int = 1000) -> Sighting:
    marks = Landmarks(left_shoulder=left, right_shoulder=right)
    return Sighting(ImageId.new(), marks, width, width * 3 // 2)


def test_equal_photos_do_not_drift() -> None:
    """Whatever their size."""
    batch = [sighting((300, 400), (700, 400)), sighting((600, 800), (1400, 800), 2000)]
    assert all((d.scale, d.x, d.y, d.rotation) == (1, 0, 0, 0) for d in drifts(batch))


def test_the_odd_one_is_measured_against_the_others() -> None:
    """Larger, further to the right and lower, and turned clockwise."""
    plain = [sighting((300, 400), (700, 400)) for _ in range(4)]
    odd = sighting((320, 490), (819.24, 533.68))
    found = drifts([*plain, odd])[-1]
    assert found.image_id == odd.image_id
    assert found.scale == pytest.approx(1.253, abs=0.001)
    assert found.x == pytest.approx(0.0696, abs=0.0001)
    assert found.y == pytest.approx(0.0746, abs=0.0001)
    assert found.rotation == pytest.approx(5, abs=0.01)


def test_trousers_are_not_measured_against_shirts() -> None:
    """A waist is at another height and of another width than shoulders."""
    waist = Landmarks(left_waist=(400, 200), right_waist=(600, 200))
    trousers = Sighting(ImageId.new(), waist, 1000, 1500)
    found = drifts([sighting((300, 400), (700, 400)), sighting((300, 400), (700, 400)), trousers])
    assert [(drift.scale, drift.y) for drift in found] == [(1, 0)] * 3


def test_photos_without_a_line_are_left_out() -> None:
    """There is nothing to measure them by."""
    assert drifts([]) == ()
    assert drifts([Sighting(ImageId.new(), Landmarks(neck=(1, 2)), 10, 10)]) == ()


def test_a_line_is_read_from_the_pictures_left() -> None:
    """Whether left is the picture's or the wearer's."""
    one = Landmarks(left_shoulder=(300, 400), right_shoulder=(700, 410))
    other = Landmarks(left_shoulder=(700, 410), right_shoulder=(300, 400))
    assert stance_of(one) == stance_of(other)


@pytest.mark.parametrize(("hem", "slant"), [(5, 5), (2, 2), (9, 5), (0, 0), (-4, 0)])
def test_a_garment_is_turned_as_far_as_line_and_hem_agree(hem: float, slant: float) -> None:
    """A raised shoulder alone is a pose, a slanted hem alone a cut."""

    def line(top: float, degrees: float) -> tuple[tuple[float, float], tuple[float, float]]:
        return (300, top), (700, top + 400 * math.tan(math.radians(degrees)))

    shoulders, ends = line(400, 5), line(900, hem)
    marks = Landmarks(
        left_shoulder=shoulders[0], right_shoulder=shoulders[1], left_hem=ends[0], right_hem=ends[1]
    )
    stance = stance_of(marks)
    assert stance is not None
    assert stance.slant == pytest.approx(slant)


@pytest.mark.parametrize("garment", [GarmentChoice.TOP, GarmentChoice.DRESS, GarmentChoice.AUTO])
def test_a_garment_with_a_neck_is_not_aligned_by_its_waist(garment: GarmentChoice) -> None:
    """A strap top may have no shoulders; it is no pair of trousers."""
    marks = Landmarks(neck=(500, 300), left_waist=(400, 600), right_waist=(600, 600))
    assert stance_of(marks, garment) is None


@pytest.mark.parametrize(
    ("garment", "hem", "kind"),
    [
        (GarmentChoice.AUTO, 900, Kind.UPPER),
        (GarmentChoice.AUTO, 1500, Kind.FULL),
        (GarmentChoice.OUTERWEAR, 1500, Kind.UPPER),
        (GarmentChoice.DRESS, 900, Kind.FULL),
        (GarmentChoice.BOTTOM, 1500, Kind.LOWER),
    ],
)
def test_the_kind_is_what_was_chosen_or_what_it_looks_like(
    garment: GarmentChoice, hem: float, kind: Kind
) -> None:
    """By length over the width of its shoulders."""
    marks = Landmarks(
        left_shoulder=(300, 400),
        right_shoulder=(700, 400),
        left_waist=(350, 700),
        right_waist=(650, 700),
        left_hem=(300, hem),
        right_hem=(700, hem),
    )
    stance = stance_of(marks, garment)
    assert stance is not None
    assert stance.kind is kind
