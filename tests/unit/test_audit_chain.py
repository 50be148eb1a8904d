"""The hash chain of an audit log shows whatever was done to it afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from libs.common.audit.chain import GENESIS, ChainCheck, sealed
from libs.common.contracts.access import Actor, ActorKind
from libs.common.contracts.audit import AuditEntry
from libs.common.contracts.ids import AuditId

DETAILS = st.dictionaries(
    st.text(max_size=5), st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)), max_size=3
)


def chain(details: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries with these details, as they would be exported."""
    entries, previous = [], GENESIS
    for sequence, detail in enumerate(details, 1):
        entry, _ = sealed(
            AuditEntry(
                id=AuditId.new(),
                sequence=sequence,
                at=datetime(2026, 3, 1, tzinfo=UTC),
                action="thing.changed",
                actor=Actor(kind=ActorKind.USER, id="usr_1"),
                target="thing",
                detail=detail,
                source="tenants",
                previous=previous,
                hash="",
            )
        )
        previous = entry.hash
        entries.append(entry.model_dump(mode="json"))
    return entries


def checked(entries: list[dict[str, Any]], head: tuple[int, str] | None = None) -> int | None:
    """Where the chain breaks."""
    check = ChainCheck()
    check.follow(entries)
    return check.state(head).broken_at


@given(st.lists(DETAILS, max_size=6))
def test_a_chain_that_nobody_touched_fits(details: list[dict[str, Any]]) -> None:
    """Whatever the entries say."""
    assert checked(chain(details)) is None


@given(st.lists(DETAILS, min_size=1, max_size=6), st.data())
def test_a_changed_entry_is_found_where_it_is(details: list[dict[str, Any]], data: st.DataObject) -> None:
    """Also when its own hash was made to fit again: then the next one does not follow, or the head."""
    entries = chain(details)
    at = data.draw(st.integers(0, len(entries) - 1))
    head = (entries[-1]["sequence"], entries[-1]["hash"])
    entries[at]["target"] = "another thing"
    assert checked(entries) == at + 1
    resealed, _ = sealed(AuditEntry.model_validate(entries[at]))
    entries[at] = resealed.model_dump(mode="json")
    assert checked(entries, head) == at + 2


@given(st.lists(DETAILS, min_size=2, max_size=6), st.data())
def test_a_missing_entry_is_found(details: list[dict[str, Any]], data: st.DataObject) -> None:
    """In the middle by itself, at the end by the head that was kept."""
    entries = chain(details)
    head = (entries[-1]["sequence"], entries[-1]["hash"])
    at = data.draw(st.integers(0, len(entries) - 1))
    del entries[at]
    assert checked(entries, head) == at + 1


def test_entries_that_changed_places_are_found() -> None:
    """The order is part of the chain."""
    entries = chain([{}, {}, {}])
    entries[0], entries[1] = entries[1], entries[0]
    assert checked(entries) == 1


def test_what_is_no_entry_at_all_breaks_the_chain() -> None:
    """A row whose text was destroyed is a break, not an error."""
    assert checked([{"sequence": 1}]) == 1
