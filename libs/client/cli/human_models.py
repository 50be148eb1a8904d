"""`mannequin human-models …`"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from libs.client.cli.session import Exit, Session, session, table, when

if TYPE_CHECKING:
    from libs.client.human_models.models import ConsentTerms, HumanModel

app = typer.Typer(
    help="People of yours who wear the garments, with `--render on_model`.", no_args_is_help=True
)
ModelId = Annotated[str, typer.Argument(help="The human model's id (hum_…).", show_default=False)]
_COLOURS = {"ready": "green", "checking": "yellow", "refused": "bold red"}


@app.command()
def add(
    context: typer.Context,
    photo: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="One person, upright, in front.")
    ],
    subject: Annotated[str, typer.Option(help="Who is in the photo.")],
    scope: Annotated[str, typer.Option(help="What the person agreed to: uses, channels, territories.")],
    obtained: Annotated[datetime, typer.Option(help="When the person agreed, in UTC.")],
    reference: Annotated[str, typer.Option(help="Where you keep the signed consent.")],
    expires: Annotated[datetime | None, typer.Option(help="Until when it holds, in UTC.")] = None,
    name: Annotated[str | None, typer.Option(help="What you call the model; as the file if absent.")] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait until the photo was looked at.")] = 60,
) -> None:
    """Add a person, with the consent. You declare with it that you have the rights to the photo."""
    here = session(context)
    consent: ConsentTerms = {
        "subject_name": subject,
        "scope": scope,
        "obtained_at": obtained.replace(tzinfo=UTC),
        "expires_at": expires.replace(tzinfo=UTC) if expires else None,
        "reference": reference,
    }
    with here.client() as client:
        model = client.human_models.add(photo, consent, name=name)
        if wait:
            model = client.human_models.wait(model.id, timeout_s=wait)
    _tell(here, model)
    if model.status == "refused":
        raise typer.Exit(Exit.SOME_FAILED)


@app.command("list")
def list_(context: typer.Context) -> None:
    """List them, the newest first."""
    here = session(context)
    found: list[HumanModel] = []
    cursor: str | None = None
    with here.client() as client:
        while True:
            page = client.human_models.list(cursor, 200)
            found += page.items
            if not (cursor := page.next_cursor):
                break
    rows = ((one.id, one.name, one.status, when(one.consent.expires_at), _why(one)) for one in found)
    here.answer(found, table(("human model", "name", "status", "consent ends", "reason"), rows))


@app.command()
def show(context: typer.Context, model_id: ModelId) -> None:
    """Show one with its consent."""
    here = session(context)
    with here.client() as client:
        model = client.human_models.get(model_id)
    _tell(here, model)


@app.command()
def delete(context: typer.Context, model_id: ModelId) -> None:
    """Delete one at once and for good; what waits for it fails, finished results stay."""
    here = session(context)
    with here.client() as client:
        client.human_models.delete(model_id)
    here.answer({"deleted": model_id}, f"{model_id} is deleted")


def _tell(here: Session, model: HumanModel) -> None:
    from rich.text import Text

    consent = model.consent
    size = f"{model.width} × {model.height} px" if model.width else ""
    rows = (
        ("human model", model.id),
        ("name", model.name),
        ("status", Text(model.status, style=_COLOURS.get(model.status, ""))),
        ("reason", _why(model)),
        ("photo", size),
        ("in the photo", consent.subject_name),
        ("agreed to", consent.scope),
        ("on", when(consent.obtained_at)),
        ("until", when(consent.expires_at)),
        ("kept at", consent.reference),
    )
    here.answer(model, table(("", ""), [row for row in rows if row[1]]))


def _why(model: HumanModel) -> str:
    return model.refusal.detail if model.refusal else ""
