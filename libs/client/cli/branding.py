"""`mannequin branding …`"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from libs.client.cli.session import Exit, Session, session, table, when

if TYPE_CHECKING:
    from libs.client.branding.models import Branding, Domain, Look

app = typer.Typer(help="Your own look, at hosts of your own.", no_args_is_help=True)
domains = typer.Typer(help="Hosts of your own, proved by your DNS.", no_args_is_help=True)
app.add_typer(domains, name="domains")
DomainId = Annotated[str, typer.Argument(help="The domain's id (dom_…).", show_default=False)]
_COLOURS = ("primary", "accent", "background", "text")


class Language(StrEnum):
    """Of what your people are shown."""

    ENGLISH = "en"
    ARABIC = "ar"


class Picture(StrEnum):
    LOGO = "logo"
    FAVICON = "favicon"


@app.command()
def show(context: typer.Context) -> None:
    """Show your brand."""
    here = session(context)
    with here.client() as client:
        _tell(here, client.branding.get())


@app.command("set")
def set_(
    context: typer.Context,
    name: Annotated[str | None, typer.Option(help="What your brand is called.")] = None,
    primary: Annotated[str | None, typer.Option(metavar="#RRGGBB")] = None,
    accent: Annotated[str | None, typer.Option(metavar="#RRGGBB")] = None,
    background: Annotated[str | None, typer.Option(metavar="#RRGGBB")] = None,
    text: Annotated[str | None, typer.Option(metavar="#RRGGBB")] = None,
    support_link: Annotated[
        str | None, typer.Option(help="An https address, or mailto:; empty for none.")
    ] = None,
    sender_name: Annotated[
        str | None, typer.Option(help="Whom e-mails are from; empty for the brand itself.")
    ] = None,
    language: Annotated[Language | None, typer.Option(help="Arabic is shown from right to left.")] = None,
) -> None:
    """Change your brand; what is not named stays as it is."""
    here = session(context)
    colours = dict(zip(_COLOURS, (primary, accent, background, text), strict=True))
    with here.client() as client:
        now = client.branding.get()
        given = {"support_link": support_link, "sender_name": sender_name, "language": language}
        made = client.branding.set(name or now.display_name, **_look(now, colours, given))
    _tell(here, made)


def _look(now: Branding, colours: dict[str, str | None], given: dict[str, Any]) -> Look:
    """The look that there is, with what was named instead."""
    look: Look = {
        "colours": {**now.colours, **{name: value for name, value in colours.items() if value}},
        "support_link": _or(now.support_link, given["support_link"]),
        "sender_name": _or(now.sender_name, given["sender_name"]),
        "language": given["language"] or now.language,
    }
    return look


def _or(now: str | None, given: str | None) -> str | None:
    """What was given, nothing if that is empty, and what there is if it was not given."""
    return now if given is None else given or None


@app.command()
def logo(
    context: typer.Context,
    picture: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="An SVG, PNG, JPEG or WebP.")
    ] = None,
    kind: Annotated[Picture, typer.Option(help="What it is for.")] = Picture.LOGO,
    remove: Annotated[bool, typer.Option("--remove", help="Take it away.")] = False,
) -> None:
    """Set your logo or your favicon. The favicon is made from the logo unless you set one."""
    here = session(context)
    if (picture is None) != remove:
        raise here.fail("Name a picture, or --remove.", Exit.USAGE)
    with here.client() as client:
        if picture:
            setting = client.branding.set_logo if kind is Picture.LOGO else client.branding.set_favicon
            made = setting(picture)
        else:
            removing = client.branding.remove_logo if kind is Picture.LOGO else client.branding.remove_favicon
            made = removing()
    _tell(here, made)


@domains.command("list")
def list_(context: typer.Context) -> None:
    """List your domains."""
    here = session(context)
    with here.client() as client:
        page = client.domains.list()
    rows = ((d.id, d.host, d.status, d.fault, when(d.checked_at)) for d in page.items)
    here.answer(page, table(("domain", "host", "status", "fault", "looked up"), rows))


@domains.command()
def add(
    context: typer.Context, host: Annotated[str, typer.Argument(help="Such as photos.example.com.")]
) -> None:
    """Add a host; the answer says what to put into its DNS."""
    here = session(context)
    with here.client() as client:
        _tell_domain(here, client.domains.add(host))


@domains.command()
def verify(context: typer.Context, domain_id: DomainId) -> None:
    """Look the record up now. Ends with status 1 if it is not there."""
    here = session(context)
    with here.client() as client:
        found = client.domains.verify(domain_id)
    _tell_domain(here, found)
    if found.status != "verified":
        raise typer.Exit(Exit.SOME_FAILED)


@domains.command()
def remove(context: typer.Context, domain_id: DomainId) -> None:
    """Remove a host: your brand is no longer shown there."""
    here = session(context)
    with here.client() as client:
        client.domains.remove(domain_id)
    here.answer({"removed": domain_id}, f"removed {domain_id}")


def _tell(here: Session, brand: Branding) -> None:
    rows = [
        ("name", brand.display_name),
        *((name, brand.colours.get(name)) for name in _COLOURS),
        ("support link", brand.support_link),
        ("e-mails from", brand.sender_name),
        ("language", f"{brand.language} ({brand.direction})"),
        ("logo", brand.logo and f"{brand.logo.media_type}, {brand.logo.size:,} bytes"),
        ("favicon", brand.favicon and ("your own" if brand.favicon_uploaded else "made from the logo")),
        ("host", brand.host),
        ("shown", "yes" if brand.shown else "no: white-label is not in your plan"),
    ]
    here.answer(brand, table(("", ""), rows))


def _tell_domain(here: Session, domain: Domain) -> None:
    record = f"{domain.record.name}  {domain.record.type}  {domain.record.value}"
    state = f"{domain.id}: {domain.host} is {domain.status}{f' ({domain.fault})' if domain.fault else ''}"
    told = state if domain.status == "verified" else f"{state}\nIts DNS needs this record:\n{record}"
    here.answer(domain, told)
