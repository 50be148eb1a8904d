"""What letters say, in English and Arabic: pure."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from enum import StrEnum

from libs.common.contracts.people import Language
from services.tenants.mail.brand import Brand


class Kind(StrEnum):
    """What a letter is for."""

    INVITE = "invite"
    PASSWORD_RESET = "password_reset"  # noqa: S105  # a name, not a password


@dataclass(frozen=True, slots=True)
class Words:
    """The parts of a letter; `{brand}` and `{tenant}` are filled in."""

    subject: str
    greeting: str
    body: str
    button: str
    rest: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter. `link` is a way in: it stands in the letter and nowhere else."""

    kind: Kind
    language: Language
    to: str
    name: str
    tenant: str
    brand: Brand
    link: str = field(repr=False)


WORDS: dict[tuple[Kind, Language], Words] = {
    (Kind.INVITE, Language.ENGLISH): Words(
        subject="{tenant} invites you to {brand}",
        greeting="Hello,",
        body="{tenant} asks you to join its team on {brand}. Choose your name and a password to begin.",
        button="Accept the invitation",
        rest="The link works once, within seven days. If you did not expect this letter, just ignore it.",
    ),
    (Kind.INVITE, Language.ARABIC): Words(
        subject="دعوة من {tenant} إلى {brand}",
        greeting="مرحبًا،",
        body="تدعوك {tenant} للانضمام إلى فريقها على {brand}. اختر اسمك وكلمة مرور للبدء.",
        button="قبول الدعوة",
        rest="يعمل الرابط مرة واحدة خلال سبعة أيام. إذا لم تكن تتوقع هذه الرسالة فتجاهلها.",
    ),
    (Kind.PASSWORD_RESET, Language.ENGLISH): Words(
        subject="A new password for {brand}",
        greeting="Hello {name},",
        body="Somebody asked for a new password for your account with {tenant} on {brand}.",
        button="Choose a new password",
        rest="The link works once, within an hour. If it was not you, ignore this letter: nothing changes.",
    ),
    (Kind.PASSWORD_RESET, Language.ARABIC): Words(
        subject="كلمة مرور جديدة لـ {brand}",
        greeting="مرحبًا {name}،",
        body="طلب شخص ما كلمة مرور جديدة لحسابك لدى {tenant} على {brand}.",
        button="اختيار كلمة مرور جديدة",
        rest="يعمل الرابط مرة واحدة خلال ساعة. إذا لم تكن أنت فتجاهل هذه الرسالة ولن يتغير شيء.",
    ),
}

_PAGE = """<!doctype html>
<html lang="{language}" dir="{direction}">
<head><meta charset="utf-8"><title>{subject}</title></head>
<body style="margin:0;padding:24px;background:#f4f5f7;font-family:Arial,sans-serif;color:#1c1e21">
<div style="max-width:520px;margin:auto;background:#ffffff;padding:32px;border-radius:8px;text-align:start">
<p style="font-weight:bold;font-size:18px">{brand}</p>
<p>{greeting}</p>
<p>{body}</p>
<p><a href="{link}" style="display:inline-block;padding:12px 20px;border-radius:6px;color:#ffffff;background:{colour};text-decoration:none">{button}</a></p>
<p style="font-size:13px;color:#5a6270">{rest}</p>
{support}
</div>
</body>
</html>
"""  # noqa: E501


def written(letter: Letter, sender: str) -> EmailMessage:
    """The letter as it is sent. sender: the address that it comes from."""
    filled = {"brand": letter.brand.name, "tenant": letter.tenant, "name": letter.name}
    words = WORDS[letter.kind, letter.language]
    subject, greeting, body = (text.format(**filled) for text in (words.subject, words.greeting, words.body))
    message = EmailMessage()
    message["From"] = Address(_line(letter.brand.sender), addr_spec=sender)
    message["To"] = letter.to
    message["Subject"] = _line(subject)
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Content-Language"] = letter.language.value
    message["Auto-Submitted"] = "auto-generated"
    support = [letter.brand.support_url] if letter.brand.support_url else []
    message.set_content(
        "\n\n".join([greeting, body, f"{words.button}:\n{letter.link}", words.rest, *support])
    )
    message.add_alternative(_page(letter, words, subject, greeting, body), subtype="html")
    return message


def _page(letter: Letter, words: Words, subject: str, greeting: str, body: str) -> str:
    url = letter.brand.support_url
    support = f'<p><a href="{html.escape(url)}">{html.escape(url)}</a></p>' if url else ""
    texts = {
        "subject": subject,
        "brand": letter.brand.name,
        "greeting": greeting,
        "body": body,
        "button": words.button,
        "rest": words.rest,
        "link": letter.link,
        "colour": letter.brand.colour,
        "language": letter.language.value,
        "direction": "rtl" if letter.language is Language.ARABIC else "ltr",
    }
    return _PAGE.format(support=support, **{name: html.escape(text) for name, text in texts.items()})


def _line(text: str) -> str:
    """A header is one line, whatever a tenant is called."""
    return " ".join(text.split())
