"""Fronts and inside shots find each other by name or by the manifest, whatever the names are."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.batch import BatchOptions
from libs.common.contracts.options import GarmentChoice
from services.batch.pairing import NoteCode, Pairing, Row, Shot, Words, pair

WORDS = Words(BatchOptions().inside_pattern)


def paired(*names: str, rows: Sequence[Row] = (), folder: str = "", words: Words = WORDS) -> Pairing:
    return pair([Shot(index, name) for index, name in enumerate(names)], words, rows, folder)


@pytest.mark.parametrize(
    ("front", "inside"),
    [
        ("SKU1_front.jpg", "SKU1_inside.jpg"),
        ("SKU1-FRONT.JPG", "sku1 Inside.png"),
        ("SKU1.jpg", "SKU1_inner_back.jpg"),
        ("SKU1_front.jpg", "SKU1_back_inside.webp"),
        ("SKU1 - front.jpg", "SKU1__back-inside.jpg"),
        ("spring/SKU1_front.jpg", "spring/SKU1_inside.jpg"),
        ("SKU1/front.jpg", "SKU1/inside.jpg"),
        ("blue shirt_front.jpg", "blue-shirt_inside.jpg"),
        ("caf\u00e9_front.jpg", "cafe\u0301_inside.jpg"),
    ],
)
def test_names_of_one_garment_are_a_pair(front: str, inside: str) -> None:
    """In either order; case, separators and normal form do not count."""
    assert paired(front, inside).inside_of == {0: 1}
    assert paired(inside, front).inside_of == {1: 0}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SKU1_front.jpg", "SKU2_inside.jpg"),
        ("a/SKU1_front.jpg", "b/SKU1_inside.jpg"),
        ("SKU1_back.jpg", "SKU1_inside.jpg"),
        ("SKU1_front.jpg", "SKU1_insidepocket.jpg"),
        ("SKU1_front.jpg", "SKU1inside.jpg"),
        ("SKU1front.jpg", "SKU1_inside.jpg"),
        ("___.jpg", "inside.jpg"),
        ("SKU1_front.jpg", "SKU1_inside_2.jpg"),
    ],
)
def test_other_names_are_no_pair(one: str, other: str) -> None:
    """Each is rendered by itself."""
    assert not paired(one, other).inside_of


def test_the_front_is_preferred_to_a_photo_without_a_word() -> None:
    """Wherever it stands; other views of the garment stay alone."""
    names = ("SKU1.jpg", "SKU1_inside.jpg", "SKU1_front.jpg", "SKU1_side.jpg")
    assert paired(*names).inside_of == {2: 1}


def test_an_inside_shot_that_is_not_used_says_why() -> None:
    """One without a front, and a second one of the same garment."""
    pairing = paired("A_inside.jpg", "B_front.jpg", "B_inside.jpg", "B_inner_back.jpg")
    assert pairing.inside_of == {1: 2}
    assert pairing.notes == {0: NoteCode.INSIDE_WITHOUT_FRONT, 3: NoteCode.INSIDE_NOT_USED}


def test_a_pair_has_the_name_of_its_garment() -> None:
    """As the front writes it, or else by its folder."""
    pairing = paired("Red Coat_front.jpg", "red-coat_inside.jpg", "x/K-7/front.jpg", "x/K-7/inside.jpg")
    assert pairing.skus == {0: "red-coat", 1: "red-coat", 2: "K-7", 3: "K-7"}


def test_the_words_are_the_senders() -> None:
    """The usual ones do not count any more then."""
    words = Words("innen, rücken_innen")
    names = ("a_front.jpg", "a_Rücken-Innen.jpg", "b_front.jpg", "b_inside.jpg")
    assert paired(*names, words=words).inside_of == {0: 1}


def test_the_manifest_decides_for_the_photos_that_it_names() -> None:
    """Its paths start at its own folder; the others are paired by name."""
    names = ("s/1.jpg", "s/2.jpg", "s/b_front.jpg", "s/b_inside.jpg", "s/c_front.jpg", "s/c_inside.jpg")
    rows = [
        Row(2, "1.JPG", inside="2.jpg", sku="K1", garment=GarmentChoice.DRESS),
        Row(3, "c_front.jpg", inside=""),
    ]
    pairing = paired(*names, rows=rows, folder="s")
    assert pairing.inside_of == {0: 1, 2: 3}
    assert pairing.skus == {0: "K1", 1: "K1", 2: "b", 3: "b"}
    assert pairing.garments == {0: GarmentChoice.DRESS}
    assert pairing.notes == {5: NoteCode.INSIDE_NOT_USED}
    assert not pairing.problems


def test_a_manifest_without_the_column_leaves_pairs_to_the_names() -> None:
    """It only says what the garments are called; inside shots may have lines, too."""
    rows = [Row(2, "a_front.jpg", sku="K1"), Row(3, "a_inside.jpg", sku="K1")]
    assert paired("a_front.jpg", "a_inside.jpg", rows=rows).inside_of == {0: 1}


def test_lines_that_can_not_be_followed_are_named() -> None:
    """The others are followed all the same."""
    rows = [
        Row(2, "gone.jpg", inside="b.jpg"),
        Row(3, "a.jpg", inside="gone.jpg"),
        Row(4, "a.jpg", inside="b.jpg"),
        Row(5, "b.jpg", inside="c.jpg"),
        Row(6, "c.jpg", inside="b.jpg"),
        Row(7, "d.jpg", inside="d.jpg"),
        Row(8, "e.jpg", inside="f.jpg"),
    ]
    pairing = paired("a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg", rows=rows)
    assert pairing.inside_of == {4: 5}
    assert [problem.partition(":")[0] for problem in sorted(pairing.problems)] == [
        f"line {line}" for line in range(2, 8)
    ]


def test_one_inside_shot_may_serve_several_fronts() -> None:
    """Where the manifest says so: the colours of one cut."""
    rows = [Row(2, "red.jpg", inside="in.jpg"), Row(3, "blue.jpg", inside="in.jpg")]
    pairing = paired("red.jpg", "blue.jpg", "in.jpg", rows=rows)
    assert pairing.inside_of == {0: 2, 1: 2}
    assert pairing.front_of() == {2: 0}


_NAMES = st.lists(
    st.builds(
        "{}{}{}{}.jpg".format,
        st.sampled_from(["", "x/", "x/y/"]),
        st.sampled_from(["", "A", "a", "b", "a b", "_", "front"]),
        st.sampled_from(["", "_", "-", " _"]),
        st.sampled_from(["", "front", "inside", "INNER_BACK", "back_inside", "inside_front", "front inside"]),
    )
    | st.text(max_size=12),
    max_size=12,
)
_ROWS = st.lists(
    st.builds(Row, st.just(1), st.text("ab/.jpg", max_size=6), st.none() | st.text("ab/.jpg", max_size=6)),
    max_size=6,
)


@given(_NAMES, _ROWS)
def test_no_photo_is_front_and_inside_shot_at_once(names: list[str], rows: list[Row]) -> None:
    """For any names and rows; by name alone, no inside shot serves two and no folder is left."""
    pairing = paired(*names, rows=rows)
    insides = set(pairing.inside_of.values())
    assert not insides & set(pairing.inside_of)
    assert not insides & set(pairing.notes)
    assert pairing == paired(*names, rows=rows)
    by_name = paired(*names).inside_of
    assert len(set(by_name.values())) == len(by_name)
    assert all(names[a].rpartition("/")[0] == names[b].rpartition("/")[0] for a, b in by_name.items())


def test_thousands_of_hostile_names_stay_fast() -> None:
    """Long runs of separators are the worst that a name can be."""
    names = [f"{'_-' * 500}{number}_inside.jpg" for number in range(2_000)]
    assert len(paired(*names).notes) == 2_000
