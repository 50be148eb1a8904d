"""Letters with links: sent by a real mail server, with tokens that are nowhere before they leave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from email.message import EmailMessage

import pytest
from pydantic import SecretStr

from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from libs.common.contracts.access import Role
from libs.common.contracts.people import (
    AcceptInvite,
    CreateInvite,
    Language,
    LogIn,
    OpenedSession,
    RefreshSession,
    RequestPasswordReset,
    ResetPassword,
)
from libs.common.errors import Refusal, Unavailable
from services.tenants.mail.smtp import MailServer, SmtpPost
from tests.integration.keyvault_desk import until
from tests.integration.people_desk import EVERYTHING, Desk, at_desk
from tests.servers.databases import TestDatabase
from tests.servers.planted import planted
from tests.servers.smtp import Mailbox, mailbox, text_of

EMAIL = "layla@shop.example"
PUBLIC_URL = "https://photos.shop.example"


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    async with mailbox() as box:
        yield box


@pytest.fixture
async def desk(
    database: TestDatabase, nats_server: Nats, vault_server: OpenBao, box: Mailbox
) -> AsyncIterator[Desk]:
    async with at_desk(
        database,
        nats_server,
        vault_server,
        public_url=PUBLIC_URL,
        smtp_url=SecretStr(f"smtp://127.0.0.1:{box.port}"),
        mail_from="no-reply@mannequin.example",
    ) as desk:
        yield desk


async def invite(desk: Desk, language: Language = Language.ENGLISH) -> None:
    query = CreateInvite(email=EMAIL, role=Role.OWNER, language=language, within=EVERYTHING)
    created = await desk.gateway.request(query, tenant=desk.tenant)
    assert created.link is None


def token_in(letter: EmailMessage, page: str) -> SecretStr:
    """From the fragment of the link; the same in both parts."""
    begin = f"{PUBLIC_URL}/{page}#"
    tokens = {
        text_of(letter, kind).partition(begin)[2].split('"')[0].split()[0] for kind in ("plain", "html")
    }
    assert len(tokens) == 1
    return SecretStr(tokens.pop())


async def come(desk: Desk, box: Mailbox) -> tuple[OpenedSession, SecretStr]:
    await invite(desk)
    letter = (await box.count(1))[0]
    password = SecretStr(planted())
    query = AcceptInvite(token=token_in(letter, "invite"), name="Layla", password=password)
    return await desk.gateway.request(query), password


async def test_an_invite_comes_by_letter_and_its_link_lets_in(desk: Desk, box: Mailbox) -> None:
    """Text and HTML say the same; the job is gone, and the table never held the token."""
    opened, _ = await come(desk, box)
    assert opened.user.email == EMAIL
    letter = box.letters[0]
    assert letter["to"] == EMAIL
    assert letter["from"] == "Invisible Mannequin <no-reply@mannequin.example>"
    assert letter["subject"] == "A shop invites you to Invisible Mannequin"
    await until(lambda: nothing_waits(desk))


async def nothing_waits(desk: Desk) -> bool:
    return not await desk.rows("select * from mails")


async def test_in_arabic_a_letter_reads_from_right_to_left(desk: Desk, box: Mailbox) -> None:
    """As the invite said."""
    await invite(desk, Language.ARABIC)
    [letter] = await box.count(1)
    assert 'dir="rtl"' in text_of(letter, "html")
    assert "قبول الدعوة" in text_of(letter, "plain")
    assert letter["subject"] == "دعوة من A shop إلى Invisible Mannequin"


async def test_a_letter_that_is_not_taken_now_is_sent_again_with_a_fresh_link(
    desk: Desk, box: Mailbox
) -> None:
    """After a while, and never again once it is refused for good."""
    box.refusals = ["451 later"]
    await invite(desk)
    await until(lambda: tried(desk, 1))
    await desk.rows("update mails set due_at = now()")
    await box.count(1)
    await until(lambda: nothing_waits(desk))
    box.refusals = ["554 never"]
    await invite(desk)
    await until(lambda: nothing_waits(desk))
    assert len(box.letters) == 1


async def tried(desk: Desk, times: int) -> bool:
    rows = await desk.rows(
        "select * from mails where attempts = $1 and due_at < now() + interval '1 min'", times
    )
    return bool(rows)


async def test_a_forgotten_password_is_replaced_by_a_link(desk: Desk, box: Mailbox) -> None:
    """Which works once; every session ends, and whoever was slowed down starts afresh."""
    opened, password = await come(desk, box)
    await desk.gateway.request(RequestPasswordReset(email=EMAIL.upper()))
    letter = (await box.count(2))[1]
    token, fresh = token_in(letter, "reset-password"), SecretStr(planted())
    await desk.gateway.request(ResetPassword(token=token, password=fresh))
    with pytest.raises(Refusal, match="Ask for another"):
        await desk.gateway.request(ResetPassword(token=token, password=fresh))
    with pytest.raises(Refusal, match="has ended"):
        await desk.gateway.request(RefreshSession(refresh_token=opened.refresh_token))
    with pytest.raises(Refusal, match="wrong"):
        await desk.gateway.request(LogIn(email=EMAIL, password=password))
    await desk.log_in(EMAIL, fresh)
    assert "user.password_reset" in await desk.audited()


async def test_asking_again_and_again_sends_one_letter(desk: Desk, box: Mailbox) -> None:
    """And asking for somebody unknown sends none; the answers are the same."""
    await come(desk, box)
    answers = [
        await desk.gateway.request(RequestPasswordReset(email=email))
        for email in (EMAIL, EMAIL, "nobody@shop.example", "no address", EMAIL)
    ]
    assert len(set(answers)) == 1
    await box.count(2)
    await until(lambda: nothing_waits(desk))
    await desk.gateway.request(RequestPasswordReset(email=EMAIL))
    assert await nothing_waits(desk)
    assert len(box.letters) == 2


async def test_a_link_is_dead_after_its_hour(desk: Desk, box: Mailbox) -> None:
    """Whatever it is used for."""
    await come(desk, box)
    await desk.gateway.request(RequestPasswordReset(email=EMAIL))
    token = token_in((await box.count(2))[1], "reset-password")
    await desk.rows("update password_resets set expires_at = now()")
    with pytest.raises(Refusal) as refused:
        await desk.gateway.request(ResetPassword(token=token, password=SecretStr(planted())))
    assert refused.value.code == "link_dead"


async def test_a_letter_goes_to_no_server_without_tls_where_it_was_asked_for(box: Mailbox) -> None:
    """Nothing of it is sent: the link is a way in."""
    post = SmtpPost(MailServer.of(SecretStr(f"smtp://127.0.0.1:{box.port}?starttls=required")))
    letter = EmailMessage()
    letter["From"], letter["To"] = "no-reply@mannequin.example", EMAIL
    with pytest.raises(Unavailable):
        await post.send(letter)
    assert not box.letters
