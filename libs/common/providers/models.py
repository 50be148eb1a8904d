"""What is known of the models of a provider: which are retired, or soon will be, and what comes after."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from libs.common.contracts.providers import Ability, ProviderCard, ProviderModel
from libs.common.errors import Invalid

NOTICE_DAYS = 90
"""How long before a model's end its users are told."""
_MODEL = "model"


class ModelRetired(Invalid):
    """The provider no longer offers this model; the detail names its successor. `field` is `model`."""

    default_code = "model_retired"


def model_named(card: ProviderCard, name: str | None) -> ProviderModel | None:
    """The model of this name, if the card knows it."""
    return next((model for model in card.models if model.name == name), None)


def retired(card: ProviderCard, name: str | None, today: date) -> bool:
    """Whether the model's last day is over. A model that the card does not know is not retired."""
    model = model_named(card, name)
    return model is not None and model.retires_on is not None and model.retires_on <= today


def successor(card: ProviderCard, name: str | None) -> str | None:
    """What to use in place of the model: of a line of successors the last one, None where none is known."""
    seen: list[str] = []
    model = model_named(card, name)
    while model is not None and model.successor is not None and model.successor not in seen:
        seen.append(model.successor)
        model = model_named(card, model.successor)
    return seen[-1] if seen else None


def refuse_retired(card: ProviderCard, settings: Mapping[str, str], today: date) -> None:
    """ModelRetired where the settings name a model that is no longer offered."""
    name = settings.get(_MODEL)
    if retired(card, name, today):
        raise ModelRetired(why_retired(card, name or ""), field=_MODEL)


def why_retired(card: ProviderCard, name: str) -> str:
    """That a model is retired, since when, and what to use instead."""
    model, instead = model_named(card, name), successor(card, name)
    since = f" on {model.retires_on:%Y-%m-%d}" if model is not None and model.retires_on else ""
    use = f"; use {instead} instead" if instead else "; choose another model"
    return f"{card.title} retired the model {name}{since}{use}"


def abilities_of(card: ProviderCard, settings: Mapping[str, str]) -> tuple[Ability, ...]:
    """What a credential with these settings can do: what its model can, where its provider's differ.

    Nothing with a model that the card does not know: what it costs and gives would be a guess.
    """
    name = settings.get(_MODEL)
    model = model_named(card, name)
    if model is not None:
        return model.abilities
    return () if card.models and name else card.abilities
