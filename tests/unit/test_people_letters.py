"""What letters say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from libs.common.contracts.people import Language
from libs.common.errors import Unavailable
from services.tenants.mail.brand import Brand
from services.tenants.mail.letters import WORDS, Kind, Letter, written
from services.tenants.mail.smtp import MailServer, SmtpPost
from services.tenants.people.settings import PeopleSettings
from tests.servers.smtp import text_of

LETTER = Letter(
    kind=Kind.INVITE,
    language=Language.ENGLISH,
    to="layla@shop.example",
    name="Layla",
    tenant="A shop",
    brand=Brand(),
    link="https://photos.example/invite#ten_1.inv_1.secret",
)
SENDER = "no-reply@mannequin.example"


def test_there_are_words_for_every_letter_in_every_language() -> None:
    """And every one of them is different."""
    assert set(WORDS) == {(kind, language) for kind in Kind for language in Language}
    assert len(set(WORDS.values())) == len(WORDS)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("language", Language)
def test_both_parts_hold_the_link_and_the_names(kind: Kind, language: Language) -> None:
    """In the direction of the language."""
    message = written(replace(LETTER, kind=kind, language=language), SENDER)
    for part in ("plain", "html"):
        assert LETTER.link in text_of(message, part)
        assert "A shop" in text_of(message, part)
    direction = "rtl" if language is Language.ARABIC else "ltr"
    assert f'lang="{language.value}" dir="{direction}"' in text_of(message, "html")


def test_a_brand_is_the_sender_and_the_support() -> None:
    """With its own colour."""
    brand = Brand("Atelier", "Atelier Photos", "https://help.atelier.example", "#884400")
    message = written(replace(LETTER, brand=brand), SENDER)
    assert message["from"] == f"Atelier Photos <{SENDER}>"
    assert "#884400" in text_of(message, "html")
    assert "https://help.atelier.example" in text_of(message, "plain")


def test_a_name_can_write_neither_headers_nor_html() -> None:
    """Whatever a tenant is called, or calls its brand."""
    name = "Shop\r\nBcc: all@shop.example\r\n\r\n<script>alert(1)</script> {link}"
    message = written(replace(LETTER, tenant=name, brand=Brand(name, name)), SENDER)
    assert "bcc" not in {header.lower() for header in message}
    assert "<script>" not in text_of(message, "html")
    assert LETTER.link not in str(message["subject"])


def test_a_letter_shows_its_link_in_no_log() -> None:
    """It is a way in."""
    assert "secret" not in repr(LETTER)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtps://mail.example", ("mail.example", 465, True, False, None, None)),
        ("smtp://mail.example?starttls=required", ("mail.example", 587, False, True, None, None)),
        ("smtp://u%40x:p%2Fw@mail.example:2525", ("mail.example", 2525, False, False, "u@x", "p/w")),
    ],
)
def test_a_mail_server_is_read_from_its_url(url: str, server: tuple[Any, ...]) -> None:
    """With TLS from the start, raised to it, or neither; the password is in no repr."""
    read = MailServer.of(SecretStr(url))
    assert (read.host, read.port, read.tls, read.starttls, read.user, read.password) == server
    assert "p/w" not in repr(read)


@pytest.mark.parametrize(
    "changes", [{"smtp_url": "http://mail.example", "mail_from": SENDER}, {"smtp_url": "smtp://x"}]
)
def test_letters_need_a_server_and_a_sender(changes: dict[str, Any]) -> None:
    """Said at the start, not at the first letter."""
    with pytest.raises(ValidationError):
        PeopleSettings(**changes)


async def test_a_mail_server_that_is_away_is_waited_for() -> None:
    """Nothing listens on that port."""
    post = SmtpPost(MailServer.of(SecretStr("smtp://127.0.0.1:9")))
    with pytest.raises(Unavailable):
        await post.send(written(LETTER, SENDER))
