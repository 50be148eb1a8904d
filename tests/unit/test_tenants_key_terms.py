"""What an API key may be given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from libs.common.contracts.access import API_KEY_PERMISSIONS, DEFAULT_KEY_PERMISSIONS, ROLES, Permission, Role
from services.tenants import key_terms
from services.tenants.errors import ExpiryPassed, NetworkInvalid, ScopeBeyondCaller, ScopeRefused, SlugRefused
from services.tenants.slugs import check_slug

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("role", Role)
def test_no_role_hands_on_more_than_it_has(role: Role) -> None:
    """Whatever is asked for: all that keys may have, each of it alone, or the usual."""
    assert set(key_terms.scopes(None, ROLES[role])) <= ROLES[role]
    for scope in API_KEY_PERMISSIONS:
        if scope in ROLES[role]:
            assert key_terms.scopes((scope,), ROLES[role]) == (scope,)
        else:
            with pytest.raises(ScopeBeyondCaller):
                key_terms.scopes((scope,), ROLES[role])


@pytest.mark.parametrize("scope", frozenset(Permission) - API_KEY_PERMISSIONS)
def test_what_only_people_decide_is_never_a_keys(scope: Permission) -> None:
    """Not even the platform's own can give it."""
    with pytest.raises(ScopeRefused):
        key_terms.scopes((scope, Permission.IMAGES_READ), None)


def test_the_usual_scopes_can_all_be_a_keys() -> None:
    """Else nobody could issue one without naming scopes."""
    assert set(key_terms.scopes(None, None)) == DEFAULT_KEY_PERMISSIONS <= API_KEY_PERMISSIONS


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        (" 203.0.113.0/24 ", "203.0.113.0/24"),
        ("2001:DB8:0::/32", "2001:db8::/32"),
        ("::1", "::1/128"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ],
)
def test_networks_are_kept_in_one_way(given: str, kept: str) -> None:
    """So that the same one twice is one."""
    assert key_terms.networks([given, kept]) == (kept,)


@pytest.mark.parametrize(
    "given",
    ["", "10.0.0.1/8", "10.0.0.0/33", "010.0.0.1", "fe80::1%eth0", "shop.example", "10.0.0.0/8,::1", "-1"],
)
def test_what_is_no_network_is_refused(given: str) -> None:
    """With the network that was meant, where there is one."""
    with pytest.raises(NetworkInvalid) as refused:
        key_terms.networks([given])
    assert refused.value.field == "allowed_ips"
    if given == "10.0.0.1/8":
        assert "10.0.0.0/8" in refused.value.detail


def test_a_key_that_takes_anothers_place_lives_as_long_as_that_was_meant_to() -> None:
    """And without an end, if that had none."""
    later = NOW + timedelta(days=100)
    assert key_terms.lifetime(NOW, NOW + timedelta(days=7), later) == later + timedelta(days=7)
    assert key_terms.lifetime(NOW, None, later) is None


@pytest.mark.parametrize(
    "end", [NOW, NOW - timedelta(1), NOW + timedelta(days=4000), datetime.max.replace(tzinfo=UTC)]
)
def test_an_end_lies_ahead_and_within_reach(end: datetime) -> None:
    """Not now, and not in a time that no database holds."""
    with pytest.raises(ExpiryPassed):
        key_terms.check_end(end, NOW)
    key_terms.check_end(NOW + timedelta(days=3650), NOW)
    key_terms.check_end(None, NOW)


@pytest.mark.parametrize("slug", ["www", "api", "xn--maison", "ab--cd"])
def test_slugs_that_look_like_others_are_refused(slug: str) -> None:
    """The platform's own names, and what browsers may show as other letters."""
    with pytest.raises(SlugRefused):
        check_slug(slug)
    check_slug("maison-etoile")
