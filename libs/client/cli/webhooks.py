"""`mannequin webhooks …`"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from libs.client.cli.session import session

app = typer.Typer(help="Endpoints that are told when batches end.", no_args_is_help=True)
EndpointId = Annotated[str, typer.Argument(help="The endpoint's id (whe_…).", show_default=False)]


@app.command("list")
def list_(context: typer.Context) -> None:
    """List endpoints."""
    here = session(context)
    with here.client() as client:
        endpoints = client.webhook_endpoints.list().items
    table = Table("endpoint", "url", "types", "disabled")
    for endpoint in endpoints:
        table.add_row(endpoint.id, endpoint.url, ", ".join(endpoint.types), endpoint.disabled_reason or "")
    here.answer(endpoints, table)


@app.command()
def add(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="An https URL.")],
    types: Annotated[
        list[str] | None, typer.Option("--type", help="batch.completed, batch.failed, image.completed.")
    ] = None,
    description: str = "",
) -> None:
    """Register an endpoint. Its signing secret is shown this once."""
    here = session(context)
    with here.client() as client:
        made = client.webhook_endpoints.create(url, types=tuple(types or ()), description=description)
    _show_secret(context, made.id, made.secret.get_secret_value() if made.secret else "")


@app.command()
def rotate(context: typer.Context, endpoint_id: EndpointId) -> None:
    """Replace the signing secret; the old one signs along for a day."""
    here = session(context)
    with here.client() as client:
        made = client.webhook_endpoints.rotate_secret(endpoint_id)
    _show_secret(context, made.id, made.secret.get_secret_value() if made.secret else "")


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
def deliveries(context: typer.Context, endpoint_id: EndpointId, limit: int = 20) -> None:
    """List what was sent, newest first, with every try."""
    here = session(context)
    with here.client() as client:
        sent = client.webhook_endpoints.deliveries(endpoint_id, limit=limit).items
    table = Table("delivery", "type", "status", "tries", "last answer", "next try")
    for delivery in sent:
        last = delivery.attempts[-1] if delivery.attempts else None
        answer = str((last.status_code or last.error) if last else "")
        due = str(delivery.next_attempt_at or "")
        table.add_row(delivery.id, delivery.type, delivery.status, str(len(delivery.attempts)), answer, due)
    here.answer(sent, table)


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


def _show_secret(context: typer.Context, endpoint_id: str, secret: str) -> None:
    here = session(context)
    note = f"{endpoint_id}\nsigning secret, shown this once: {secret}"
    here.answer({"id": endpoint_id, "secret": secret}, note)
