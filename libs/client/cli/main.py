"""`mannequin`: photos in, product pictures out, from a terminal or a script.

Commands of operators (`up`, `serve`, `tenants`, …) come from packages that are installed beside this one,
through the entry-point group `mannequin.commands`.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Annotated

import typer

from libs.client.cli import batches, render, webhooks
from libs.client.cli.session import Session

EXIT_CODES = """
Exit status: 0 all went well · 1 some images failed · 2 wrong usage · 3 API key missing or refused ·
4 no such thing · 5 the service can't be reached · 6 the request was refused · 130 interrupted
"""

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback(epilog=EXIT_CODES)
def options(
    context: typer.Context,
    api_url: Annotated[
        str | None, typer.Option(envvar="MANNEQUIN_API_URL", help="Address of the API, without a path.")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(envvar="MANNEQUIN_API_KEY", help="API key (im_live_…).", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON on standard output.")] = False,
) -> None:
    """Ghost-mannequin product photos: send garment photos, get them back without the mannequin."""
    context.obj = Session(api_url, api_key, json=json)


app.command("render")(render.render)
app.command("batch")(batches.process)
app.add_typer(batches.app, name="batches")
app.add_typer(webhooks.app, name="webhooks")
for _plugin in entry_points(group="mannequin.commands"):
    _plugin.load()(app)
