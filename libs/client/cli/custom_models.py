"""`mannequin custom-models …`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from libs.client.cli.session import Exit, Session, session, table, when

if TYPE_CHECKING:
    from libs.client.custom_models.models import CustomModel, Rollout

app = typer.Typer(help="ONNX models of your own that render your images.", no_args_is_help=True)
ModelId = Annotated[str, typer.Argument(help="The model's id (mdl_…).", show_default=False)]
_OWN = "the platform's own model"


@app.command()
def upload(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The ONNX file.")],
    name: Annotated[str, typer.Option(help="The model that it is a version of.")],
    card: Annotated[
        Path,
        typer.Option(exists=True, dir_okay=False, help="What its tensors mean, as JSON."),
    ],
) -> None:
    """Upload a version; it is looked at in a sandbox before it may serve."""
    here = session(context)
    try:
        told = json.loads(card.read_text(encoding="utf-8"))
    except ValueError as error:
        raise here.fail(f"{card} is no JSON: {error}", Exit.USAGE) from None
    told.pop("name", None)
    with here.client() as client:
        _tell(here, client.custom_models.upload(file, name, told))


@app.command("list")
def list_(context: typer.Context) -> None:
    """List models with their versions, and what serves."""
    here = session(context)
    with here.client() as client:
        found = client.custom_models.list()
    rows = (
        (
            model.id,
            model.name,
            one.sha256[:16],
            one.status,
            _role(found.rollout, one.sha256),
            one.reason or "",
        )
        for model in found.items
        for one in model.versions
    )
    here.answer(found, table(("model", "name", "version", "status", "serves", "reason"), rows))


@app.command()
def show(context: typer.Context, model_id: ModelId) -> None:
    """Show a model with its versions."""
    here = session(context)
    with here.client() as client:
        _tell(here, client.custom_models.get(model_id))


@app.command()
def rollout(
    context: typer.Context,
    sha256: Annotated[str, typer.Argument(help="The version, by its SHA-256.", show_default=False)],
    share: Annotated[float, typer.Option(min=0.001, max=1, help="Of your photos; 1 makes it live.")] = 1.0,
) -> None:
    """Give a version a share of your photos."""
    here = session(context)
    with here.client() as client:
        _say(here, client.custom_models.roll_out(sha256, share))


@app.command()
def rollback(context: typer.Context) -> None:
    """End a try, or bring back what was live before."""
    here = session(context)
    with here.client() as client:
        _say(here, client.custom_models.roll_back())


@app.command()
def delete(context: typer.Context, model_id: ModelId) -> None:
    """Delete a model with all its files."""
    here = session(context)
    with here.client() as client:
        client.custom_models.delete(model_id)
    here.answer({"deleted": model_id}, f"{model_id} is deleted.")


def _role(rollout: Rollout, sha256: str) -> str:
    if sha256 == rollout.live:
        return "live"
    return f"{rollout.canary_share:.0%}" if sha256 == rollout.canary else ""


def _tell(here: Session, model: CustomModel) -> None:
    rows = (
        (one.sha256, one.status, f"{one.run_ms or ''}", when(one.created_at), one.reason or "")
        for one in model.versions
    )
    here.answer(model, table((f"versions of {model.name}", "status", "ms a run", "since", "reason"), rows))


def _say(here: Session, rollout: Rollout) -> None:
    tried = f"; {rollout.canary_share:.0%} of photos try {rollout.canary}" if rollout.canary else ""
    here.answer(rollout, f"live: {rollout.live or _OWN}{tried}")
