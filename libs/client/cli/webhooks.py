"""`mannequin webhooks …`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from libs.client.cli.session import Session, session, table, when

if TYPE_CHECKING:
    from libs.client.models import Delivery, Endpoint

app = typer.Typer(help="Endpoints that are told when batches end.", no_args_is_help=True)
EndpointId = Annotated[str, typer.Argument(help="The endpoint's id (whe_…).", show_default=False)]


@app.command("list")
def list_(context: typer.Context) -> None:
    """List endpoints."""
    here = session(context)
    with here.client() as client:
        page = client.webhook_endpoints.list()
    rows = ((e.id, e.url, ", ".join(e.types), e.description, e.disabled_reason) for e in page.items)
    here.answer(page, table(("endpoint", "url", "types", "description", "disabled"), rows))


@app.command()
def add(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="An https URL.")],
    types: Annotated[
        list[str] | None,
        typer.Option("--type", help="Such as batch.completed or credential.failed; see the API's /docs."),
    ] = None,
    description: Annotated[str, typer.Option(help="A note to yourself.")] = "",
) -> None:
    """Register an endpoint. Its signing secret is shown this once."""
    here = session(context)
    with here.client() as client:
        made = client.webhook_endpoints.create(url, types=tuple(types or ()), description=description)
    _show_secret(here, made)


@app.command()
def rotate(
    context: typer.Context,
    endpoint_id: EndpointId,
    overlap: Annotated[
        int | None,
        typer.Option(metavar="SECONDS", help="How long the old one signs along; a day if not given."),
    ] = None,
) -> None:
    """Replace the signing secret."""
    here = session(context)
    with here.client() as client:
        made = client.webhook_endpoints.rotate_secret(endpoint_id, overlap_s=overlap)
    _show_secret(here, made)


@app.command()
def remove(context: typer.Context, endpoint_id: EndpointId) -> None:
    """Delete an endpoint."""
    here = session(context)
    with here.client() as client:
        client.webhook_endpoints.delete(endpoint_id)
    here.answer({"deleted": endpoint_id}, f"deleted {endpoint_id}")


@app.command()
def test(context: typer.Context, endpoint_id: EndpointId) -> None:
    """Send a test message."""
    here = session(context)
    with here.client() as client:
        delivery = client.webhook_endpoints.test(endpoint_id)
    here.answer(delivery, f"{delivery.id} is on its way; see: mannequin webhooks deliveries {endpoint_id}")


@app.command()
def deliveries(
    context: typer.Context,
    endpoint_id: EndpointId,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    cursor: Annotated[str | None, typer.Option(help="Where the last page ended.")] = None,
) -> None:
    """List what was sent, newest first, with every try."""
    here = session(context)
    with here.client() as client:
        page = client.webhook_endpoints.deliveries(endpoint_id, cursor, limit)
    rows = (
        (d.id, d.type, d.status, len(d.attempts), _last_answer(d), when(d.next_attempt_at))
        for d in page.items
    )
    here.answer(page, table(("delivery", "type", "status", "tries", "last answer", "next try"), rows))
    if page.next_cursor:
        here.note(f"more: mannequin webhooks deliveries {endpoint_id} --cursor {page.next_cursor}")


@app.command()
def redeliver(
    context: typer.Context,
    endpoint_id: EndpointId,
    delivery_id: Annotated[str, typer.Argument(help="The delivery's id (whd_…).", show_default=False)],
) -> None:
    """Send something again, now."""
    here = session(context)
    with here.client() as client:
        delivery = client.webhook_endpoints.redeliver(endpoint_id, delivery_id)
    here.answer(delivery, f"{delivery.id} is on its way again")


def _last_answer(delivery: Delivery) -> str:
    last = delivery.attempts[-1] if delivery.attempts else None
    return str(last.status_code or last.error) if last else ""


def _show_secret(here: Session, made: Endpoint) -> None:
    """The one moment at which the secret is there; masked everywhere else."""
    secret = made.secret.get_secret_value() if made.secret else None
    shown = {**made.model_dump(mode="json"), "secret": secret}
    here.answer(shown, f"{made.id}\nsigning secret, shown this once: {secret}")
