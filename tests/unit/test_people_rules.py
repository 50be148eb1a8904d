"""The rules of getting in that need no server: tokens, turning over, slowing down, codes, passwords."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from libs.common.contracts.access import ROLES, Role
from libs.common.contracts.ids import SessionId, TenantId, UserId
from libs.common.contracts.sso import BeginSso
from services.tenants.mail.jobs import pause_s
from services.tenants.people import codes, links
from services.tenants.people.backoff import OF_A_PERSON, OF_AN_ADDRESS, Attempt
from services.tenants.people.emails import domain_of, normalised
from services.tenants.people.errors import EmailInvalid, PasswordWeak, RoleNotYours
from services.tenants.people.members import must_cover
from services.tenants.people.passwords import Passwords, refuse_weak
from services.tenants.people.settings import PeopleSettings
from services.tenants.people.turning import Limits, Verdict, judge

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
LIMITS = Limits(idle=timedelta(days=7), grace=timedelta(seconds=10))
CHEAP = PeopleSettings(password_memory_kib=64, password_rounds=1)


def session(**changes: Any) -> Any:
    row = {
        "ended_at": None,
        "expires_at": NOW + timedelta(days=1),
        "last_used_at": NOW - timedelta(hours=1),
        "rotated_at": NOW - timedelta(seconds=5),
        "sha256": "now",
        "previous_sha256": "before",
    }
    return row | changes


def test_a_token_says_whose_it_is_and_nothing_else_has_its_form() -> None:
    """Its hash is of the whole, so that no part can be swapped."""
    tenant, row = TenantId.new(), SessionId.new()
    token = links.new_token(row, tenant)
    assert links.presented(token, SessionId) == links.Presented(tenant, row, links.digest(token))
    own = links.new_token(row)
    assert links.presented(own, SessionId, of_tenant=False) == links.Presented(None, row, links.digest(own))
    for wrong in (own, token[4:], token.replace(row, UserId.new()), token + "." + token):
        assert links.presented(wrong, SessionId) is None


@given(st.text())
def test_no_text_breaks_the_reading_of_a_token(text: str) -> None:
    """It is a token or it is not."""
    assert links.presented(text, SessionId) is None


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_the_next_token_follows_from_the_seed_alone(one: bytes, other: bytes) -> None:
    """The same again for the same seed, another for another; never the one before."""
    tenant, row = TenantId.new(), SessionId.new()
    token = links.new_token(row, tenant)
    following = links.following(token, row, tenant, one)
    assert following == links.following(token, row, tenant, one) != token
    assert (following == links.following(token, row, tenant, other)) == (one == other)
    assert links.presented(following, SessionId) is not None


@pytest.mark.parametrize(
    ("changes", "sha256", "verdict"),
    [
        ({}, "now", Verdict.TURN),
        ({}, "before", Verdict.REPEAT),
        ({"rotated_at": NOW - timedelta(seconds=11)}, "before", Verdict.REUSED),
        ({}, "long ago", Verdict.REUSED),
        ({"previous_sha256": None}, "long ago", Verdict.REUSED),
        ({"ended_at": NOW}, "now", Verdict.DEAD),
        ({"ended_at": NOW}, "before", Verdict.DEAD),
        ({"expires_at": NOW}, "now", Verdict.DEAD),
        ({"last_used_at": NOW - timedelta(days=7)}, "now", Verdict.DEAD),
    ],
)
def test_a_refresh_token_is_judged(changes: dict[str, Any], sha256: str, verdict: Verdict) -> None:
    """Turned over once, repeated within the grace, and the end of the session after that."""
    assert judge(session(**changes), sha256, NOW, LIMITS) is verdict


@given(st.integers(0, 10_000))
def test_waiting_grows_and_has_an_end(failures: int) -> None:
    """Nobody is locked out for good: a person waits a minute at most, an address a quarter of an hour."""
    for slowing, longest in ((OF_A_PERSON, 60), (OF_AN_ADDRESS, 900)):
        wait = slowing.wait_s(failures)
        assert wait <= slowing.wait_s(failures + 1) <= longest
        assert (wait == 0) == (failures <= slowing.free)


def test_what_is_counted_holds_no_address() -> None:
    """A hash of it, apart for each realm."""
    one, other = (Attempt.of(realm, "layla@shop.example", None) for realm in ("user", "staff"))
    assert one.person != other.person
    assert "layla" not in str(one)
    assert [key for key, _ in one.keys()] == [one.person]  # noqa: SIM118


def test_an_ipv6_network_counts_as_one_address() -> None:
    """Whoever has one address of it has all 2^64; of IPv4 each is its own."""
    one, other, apart, four = (
        Attempt.of("user", "layla@shop.example", ip_address(text)).address
        for text in ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1", "203.0.113.9")
    )
    assert one == other == "address:2001:db8::/64"
    assert apart != one
    assert four == "address:203.0.113.9"


@given(st.integers(codes.STEP_S, 2**33))
def test_a_code_is_taken_about_now_and_only_once(second: int) -> None:
    """One step to either side; never one at or before the last that was taken."""
    secret = codes.new_secret()
    totp, step = pyotp.TOTP(secret), second // codes.STEP_S
    now = datetime.fromtimestamp(second, UTC)
    code = totp.at(second)
    assert codes.step_of(secret, f" {code[:3]} {code[3:]}", now, after=-2) is not None
    assert codes.step_of(secret, totp.at(second + 30), now, after=step) == step + 1
    assert codes.step_of(secret, code, now, after=step + 1) is None


def test_recovery_codes_are_ten_and_read_however_they_are_typed() -> None:
    """Without letters that look alike."""
    fresh = codes.new_recovery_codes()
    assert len(set(fresh)) == 10
    assert not set("".join(fresh)) & set("01il o")
    typed = fresh[0].upper().replace("-", " ")
    assert codes.recovery_digest(typed) == codes.recovery_digest(fresh[0])


@pytest.mark.parametrize(
    ("password", "known"),
    [
        ("elevenchars", ()),
        ("a" * 300, ()),
        ("abababababab", ()),
        ("layla.haddad@shop", ("layla.haddad@shop.example", "Layla")),
        ("LaylaHaddad1", ("x@shop.example", "Layla Haddad")),
    ],
)
def test_passwords_that_are_easy_to_guess_are_refused(password: str, known: tuple[str, ...]) -> None:
    """By length, by repetition, by what is known; never by classes of characters."""
    with pytest.raises(PasswordWeak):
        refuse_weak(SecretStr(password), *known)


@pytest.mark.parametrize(
    "password", ["correct horse battery", "كلمة مرور طويلة جدا", "🐴🔋📎 stapled together"]
)
def test_any_long_password_will_do(password: str) -> None:
    """In whatever script."""
    refuse_weak(SecretStr(password), "layla@shop.example", "Layla")


async def test_a_password_fits_its_own_hash_however_it_was_typed() -> None:
    """Composed or not; nothing fits where there is none, and it takes a hash to say so."""
    passwords = Passwords(CHEAP)
    composed, decomposed = SecretStr("caf\u00e9 au lait"), SecretStr("cafe\u0301 au lait")
    stored = await passwords.hash(composed)
    assert stored.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert await passwords.fits(decomposed, stored)
    assert not await passwords.fits(SecretStr("another"), stored)
    for nothing in (None, "", "not a hash"):
        assert not await passwords.fits(composed, nothing)
    stronger = Passwords(CHEAP.model_copy(update={"password_rounds": 2}))
    assert (passwords.is_dated(stored), stronger.is_dated(stored)) == (False, True)
    await passwords.close()
    await stronger.close()


def test_addresses_are_written_in_one_way() -> None:
    """And what is none is refused."""
    assert normalised("Layla@Shop.EXAMPLE") == "layla@shop.example"
    assert normalised("layla@BÜCHER.example") == "layla@bücher.example"
    assert domain_of("layla@bücher.example") == "xn--bcher-kva.example"
    for wrong in ("layla", "layla@", "@shop.example", "a b@shop.example", "a@b@c.example", "x@[10.0.0.1]"):
        with pytest.raises(EmailInvalid):
            normalised(wrong)


@given(st.sampled_from(Role), st.sampled_from(Role))
def test_nobody_gives_a_role_beyond_their_own(own: Role, given_role: Role) -> None:
    """A role is within another exactly if its permissions are."""
    if ROLES[given_role] <= ROLES[own]:
        must_cover(ROLES[own], given_role)
    else:
        with pytest.raises(RoleNotYours):
            must_cover(ROLES[own], given_role)


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "x", "/a b", "/\t/x"]
)
def test_the_way_back_leads_nowhere_else(path: str) -> None:
    """Not to another host, however a browser reads it."""
    with pytest.raises(ValidationError):
        BeginSso(return_to=path)


def test_a_letter_is_tried_for_hours_and_not_for_ever() -> None:
    """From ten seconds up to an hour, then it is given up."""
    pauses = [pause_s(attempt) for attempt in range(1, 11)]
    assert pauses[0] == 10
    assert pauses[-1] is None
    known = [pause for pause in pauses if pause is not None]
    assert known == sorted(known)
    assert sum(known) > 3600
