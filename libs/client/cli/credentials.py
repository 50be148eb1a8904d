"""`mannequin credentials …`"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from libs.client.cli import secrets
from libs.client.cli.money import usd
from libs.client.cli.secrets import Files, Prompts, Sets
from libs.client.cli.session import Exit, Session, session, table, when

if TYPE_CHECKING:
    from rich.text import Text

    from libs.client.byok.models import Credential, CredentialProvider, CredentialTerms
    from libs.client.sync import Mannequin

app = typer.Typer(
    help="Keys of your own: your images are computed on your own account.", no_args_is_help=True
)
CredentialId = Annotated[str, typer.Argument(help="The key's id (crd_…).", show_default=False)]
_COLOURS = {
    "healthy": "green",
    "recovered": "green",
    "degraded": "yellow",
    "unverified": "yellow",
    "failed": "bold red",
}


@app.command()
def providers(context: typer.Context) -> None:
    """List providers, what each asks for, and what it costs."""
    here = session(context)
    with here.client() as client:
        page = client.credential_providers.list()
    rows = ((one.name, one.title, ", ".join(one.abilities), _asks(one), _costs(one)) for one in page.items)
    here.answer(page, table(("provider", "what it is", "can", "asks for (* secret)", "price"), rows))


@app.command()
def add(
    context: typer.Context,
    provider: Annotated[str, typer.Argument(help="As `mannequin credentials providers` lists them.")],
    label: Annotated[str, typer.Option(help="What you call it.")],
    sets: Sets = None,
    files: Files = None,
    prompts: Prompts = None,
    priority: Annotated[int, typer.Option(help="The highest goes first.")] = 0,
    monthly_cap: Annotated[str | None, typer.Option(metavar="USD", help="Never to be overshot.")] = None,
    regions: Annotated[list[str] | None, typer.Option("--region", help="Allowed; all if none.")] = None,
    models: Annotated[list[str] | None, typer.Option("--model", help="Allowed; all if none.")] = None,
    expires: Annotated[datetime | None, typer.Option(help="When it ends, in UTC.")] = None,
) -> None:
    """Store a key. It is checked at its provider, at no cost, and never shown again.

    Secrets come from a file, from standard input or from a prompt, never from the arguments.
    """
    here = session(context)
    terms: CredentialTerms = {
        "priority": priority,
        "monthly_cap": monthly_cap,
        "regions": regions or [],
        "models": models or [],
        "expires_at": expires.replace(tzinfo=UTC) if expires else None,
    }
    with here.client() as client:
        card = _card(client, provider)
        public, secret = secrets.settings(card, sets), secrets.gathered(card, files, prompts)
        made = client.credentials.create(provider, label, secret, settings=public, terms=terms)
    _tell(here, made)


@app.command("list")
def list_(context: typer.Context) -> None:
    """List keys with their health, and what to do."""
    here = session(context)
    with here.client() as client:
        page = client.credentials.list()
    rows = (
        (
            one.id,
            one.provider,
            one.label,
            health(one),
            f"…{one.last_four}",
            one.priority,
            usd(one.monthly_cap),
            _to_do(one),
        )
        for one in page.items
    )
    columns = ("credential", "provider", "label", "health", "secret", "priority", "cap", "what to do")
    here.answer(page, table(columns, rows))


@app.command()
def show(context: typer.Context, credential_id: CredentialId) -> None:
    """Show a key, without its secret."""
    here = session(context)
    with here.client() as client:
        _tell(here, client.credentials.get(credential_id))


@app.command()
def verify(context: typer.Context, credential_id: CredentialId) -> None:
    """Check a key at its provider now, at no cost. Ends with status 1 if it does not work."""
    here = session(context)
    with here.client() as client:
        _tell(here, client.credentials.verify(credential_id))


@app.command()
def change(
    context: typer.Context,
    credential_id: CredentialId,
    label: Annotated[str | None, typer.Option(help="What you call it.")] = None,
    priority: Annotated[int | None, typer.Option(help="The highest goes first.")] = None,
    monthly_cap: Annotated[
        str | None, typer.Option(metavar="USD", help="Never to be overshot; none takes it away.")
    ] = None,
) -> None:
    """Change what is not its secret."""
    here = session(context)
    terms: CredentialTerms = {}
    if label is not None:
        terms["label"] = label
    if priority is not None:
        terms["priority"] = priority
    if monthly_cap is not None:
        terms["monthly_cap"] = None if monthly_cap == "none" else monthly_cap
    with here.client() as client:
        _tell(here, client.credentials.change(credential_id, terms))


@app.command()
def replace(
    context: typer.Context,
    credential_id: CredentialId,
    sets: Sets = None,
    files: Files = None,
    prompts: Prompts = None,
    grace: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="How long to keep the old one; a day if not given.")
    ] = None,
) -> None:
    """Replace the secret. The new one is checked first; until then, and if it fails, the old one is used."""
    here = session(context)
    with here.client() as client:
        card = _card(client, client.credentials.get(credential_id).provider)
        public, secret = secrets.settings(card, sets), secrets.gathered(card, files, prompts)
        made = client.credentials.replace(credential_id, secret, settings=public or None, grace_s=grace)
    _tell(here, made)


@app.command()
def rollback(context: typer.Context, credential_id: CredentialId) -> None:
    """Bring the secret before this one back, within its grace time."""
    here = session(context)
    with here.client() as client:
        _tell(here, client.credentials.roll_back(credential_id))


@app.command()
def disable(context: typer.Context, credential_id: CredentialId) -> None:
    """Use it no more, at once; its secret is kept."""
    here = session(context)
    with here.client() as client:
        made = client.credentials.disable(credential_id)
    here.answer(made, f"{made.id} is disabled; to use it again: mannequin credentials enable {made.id}")


@app.command()
def enable(context: typer.Context, credential_id: CredentialId) -> None:
    """Use it again."""
    here = session(context)
    with here.client() as client:
        _tell(here, client.credentials.enable(credential_id))


@app.command()
def remove(context: typer.Context, credential_id: CredentialId) -> None:
    """Delete a key with its secret."""
    here = session(context)
    with here.client() as client:
        client.credentials.delete(credential_id)
    here.answer({"deleted": credential_id}, f"deleted {credential_id}")


def health(credential: Credential) -> Text:
    """How it stands, in its colour."""
    from rich.text import Text

    if not credential.enabled:
        return Text("disabled", style="dim")
    return Text(credential.health.state, style=_COLOURS.get(credential.health.state, ""))


def _card(client: Mannequin, provider: str) -> CredentialProvider:
    known = {one.name: one for one in client.credential_providers.list().items if one.form}
    if provider not in known:
        raise typer.BadParameter(f"take one of {', '.join(known)}", param_hint="PROVIDER")
    return known[provider]


def _tell(here: Session, credential: Credential) -> None:
    """How it stands; status 1 if it does not work."""
    at = credential.health
    rows = [
        ("credential", credential.id),
        ("provider", credential.provider),
        ("label", credential.label),
        ("health", health(credential)),
        ("since", when(at.since)),
        ("why", at.detail),
        ("what to do", _to_do(credential)),
        ("secret", _told_apart(credential)),
        *credential.settings.items(),
        ("priority", credential.priority),
        ("monthly cap", usd(credential.monthly_cap)),
        ("roll back until", when(credential.previous_until)),
        ("ends", when(credential.expires_at)),
    ]
    here.answer(credential, table(("", ""), (row for row in rows if row[1] not in ("", None))))
    if at.state == "failed":
        raise typer.Exit(Exit.SOME_FAILED)


def _told_apart(credential: Credential) -> str:
    """What is shown of its secret."""
    fingerprint = credential.fingerprint[:12]
    return f"…{credential.last_four}, version {credential.version}, fingerprint {fingerprint}…"


def _to_do(credential: Credential) -> str:
    if not credential.enabled:
        return f"mannequin credentials enable {credential.id}"
    return credential.health.advice or (
        credential.health.detail if credential.health.state != "healthy" else ""
    )


def _asks(provider: CredentialProvider) -> str:
    return ", ".join(f"{field.name}{'*' if field.secret else ''}" for field in provider.fields)


def _costs(provider: CredentialProvider) -> str:
    return ", ".join(
        f"{usd(price.amount)} USD/{price.unit}{f' ({price.model})' if price.model else ''}"
        for price in provider.prices
    )
