"""`mannequin`: photos in, product pictures out, from a terminal or a script.

Commands of operators (`up`, `serve`, `tenants`, …) come from packages that are installed beside this one,
through the entry-point group `mannequin.commands`: functions that take a Typer application and add to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import entry_points
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from libs.client.cli import (
    batches,
    branding,
    credentials,
    custom_models,
    human_models,
    render,
    routing,
    usage,
    webhooks,
)
from libs.client.cli.session import Exit, Session

PLUGINS = "mannequin.commands"
_FLAG = "--json"
_VALUED = ("--api-url", "--api-key")
_STATUSES = {
    Exit.OK: "all went well",
    Exit.SOME_FAILED: "some images failed, or a key does not work",
    Exit.USAGE: "wrong usage",
    Exit.UNAUTHORIZED: "API key missing or refused",
    Exit.NOT_FOUND: "no such thing",
    Exit.UNREACHABLE: "the service can't be reached or is busy",
    Exit.REFUSED: "the request was refused",
    Exit.INTERRUPTED: "interrupted",
}
EPILOG = (
    "--api-url, --api-key and --json may also stand behind the command. "
    "The answer goes to standard output; progress and errors go to standard error.\n\n"
    "Exit status: " + ", ".join(f"[bold]{status:d}[/] {what}" for status, what in _STATUSES.items()) + "."
)


class CommandLine(TyperGroup):
    """The commands of the client, and those of plugins, which are imported only when they are asked for."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, hoisted(args))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return super().get_command(ctx, cmd_name) or plugins().get(cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *plugins()]


@cache
def plugins() -> Mapping[str, Any]:
    """Commands of installed plugins by name. A plugin that can't be imported is named and left out."""
    host = typer.Typer()
    host.callback()(lambda: None)  # or one command alone would not be a group
    for plugin in entry_points(group=PLUGINS):
        try:
            plugin.load()(host)
        except ImportError as error:
            typer.echo(f"the commands of {plugin.value} are missing: {error}", err=True)
    return typer.main.get_group(host).commands


def hoisted(args: Sequence[str]) -> list[str]:
    """The arguments with the global options first, wherever they stood."""
    front: list[str] = []
    rest: list[str] = []
    words = iter(args)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word == _FLAG or word.startswith(tuple(f"{name}=" for name in _VALUED)):
            front.append(word)
        elif word in _VALUED and (value := next(words, None)) is not None:
            front += [word, value]
        else:
            rest.append(word)
    return front + rest


app = typer.Typer(
    cls=CommandLine,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback(epilog=EPILOG)
def options(
    context: typer.Context,
    api_url: Annotated[
        str | None, typer.Option(envvar="MANNEQUIN_API_URL", help="Address of the API, without a path.")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(envvar="MANNEQUIN_API_KEY", help="API key (im_live_…).", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Ghost-mannequin product photos: send garment photos, get them back without the mannequin."""
    context.obj = Session(api_url, api_key, json=json)


app.command("render")(render.render)
app.command("batch")(batches.process)
app.add_typer(batches.app, name="batches")
app.add_typer(branding.app, name="branding")
app.add_typer(credentials.app, name="credentials")
app.add_typer(human_models.app, name="human-models")
app.add_typer(custom_models.app, name="custom-models")
app.add_typer(routing.app, name="routing")
app.add_typer(usage.app, name="usage")
app.add_typer(webhooks.app, name="webhooks")

if __name__ == "__main__":
    app()
