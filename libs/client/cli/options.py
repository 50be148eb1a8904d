"""The options of a render, as command-line options."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, cast, get_type_hints

import typer

if TYPE_CHECKING:
    from libs.client.models import BatchOptions

_PANEL = "Options of the render"


@dataclass(frozen=True)
class Option:
    """`name` is that of the API; `flag` is how it is written where that differs."""

    name: str
    kind: type
    help: str
    flag: str | None = None

    def parameter(self) -> inspect.Parameter:
        """What Typer takes for the option. None is what was not asked for: the API has the defaults."""
        flag = self.flag or f"--{self.name.replace('_', '-')}"
        hint: Any = Annotated[self.kind | None, typer.Option(flag, help=self.help, rich_help_panel=_PANEL)]
        return inspect.Parameter(self.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hint)


RENDER = (
    Option("render", str, "ghost, or on_model: worn by one of your human models."),
    Option("human_model", str, "Who wears it (hum_…), with --render on_model."),
    Option("garment", str, "Which garment: auto, top, outerwear, dress, bottom or all."),
    Option("background", str, "transparent, a colour as #rrggbb, or a gradient as #rrggbb..#rrggbb."),
    Option("shadow", str, "none, soft or contact."),
    Option("format", str, "png, webp, jpeg or avif."),
    Option("quality", int, "1 to 100, of webp, jpeg and avif."),
    Option("size", int, "Longest side in pixels; as the photo if not given."),
    Option("margin", float, "Free border around a cropped garment, as a share of the longest side."),
    Option("crop", bool, "Crop to the garment."),
    Option("fill", float, "Share of the picture's tighter side that the garment takes."),
    Option("aspect", str, "Width to height, as 4:5."),
    Option("dpi", int, "Resolution written into the file."),
    Option("preset", str, "A shop's requirements: amazon or shopify."),
    Option("align", str, "catalogue: every garment at the same scale and place."),
    Option("hollow", bool, "Show the inner back in the openings, as usual, or not.", "--hollow/--no-hollow"),
    Option("neck_label", bool, "Draw a plain label on a synthesised inner back."),
    Option("fill_occlusions", bool, "Fill what hair, hands or bags hide."),
    Option("artefacts", bool, "Keep the masks beside the result."),
)
RENDITION = Option(
    "rendition",
    list[str],
    "One more picture of the render, as NAME=PRESET or NAME={options in JSON}; may be given several times.",
)
INSIDE = Option(
    "inside_pattern",
    str,
    "Endings of names of inside shots, with commas between: SKU_inside.jpg belongs to SKU_front.jpg.",
)


def takes_options(*more: Option) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command that gets what was asked of a render, and `more`, as its keyword argument `asked`."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        added = [option.parameter() for option in (*RENDER, RENDITION, *more)]
        names = {parameter.name for parameter in added}

        @functools.wraps(command)
        def run(**values: Any) -> None:
            asked = given({name: values.pop(name) for name in names})
            command(**values, asked=asked)

        parameters = [*_own(command), *added]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # how inspect wants it
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        return run

    return decorate


def _own(command: Callable[..., None]) -> list[inspect.Parameter]:
    """The command's parameters but for `asked`, whose type is only there for the type checker."""
    texts = {name: text for name, text in command.__annotations__.items() if name not in ("asked", "return")}
    texts_of = SimpleNamespace(__annotations__=texts)
    hints = get_type_hints(texts_of, globalns=command.__globals__, include_extras=True)
    return [
        one.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[one.name])
        for one in inspect.signature(command).parameters.values()
        if one.name in hints
    ]


def given(values: Mapping[str, Any]) -> BatchOptions:
    """Only what was asked for; the API has the defaults, and says what does not fit."""
    options = {name: value for name, value in values.items() if value is not None and name != RENDITION.name}
    if renditions := values.get(RENDITION.name):
        options["renditions"] = _renditions(renditions)
    return cast("BatchOptions", options)


def _renditions(texts: Sequence[str]) -> list[dict[str, Any]]:
    return [_rendition(text) for text in texts]


def _rendition(text: str) -> dict[str, Any]:
    name, equals, what = text.partition("=")
    if not (name and equals and what):
        raise typer.BadParameter(f"{text!r} is not NAME=PRESET or NAME={{…}}", param_hint="--rendition")
    if not what.startswith("{"):
        return {"name": name, "preset": what}
    try:
        return {**json.loads(what), "name": name}
    except ValueError:
        raise typer.BadParameter(f"what follows {name}= is not JSON", param_hint="--rendition") from None
