"""The cards of all providers: what they ask for, can do and cost. Data, in one YAML file each."""

from libs.common.providers.cards import PRICE_TABLE, card, cards, cost, price_of

__all__ = ["PRICE_TABLE", "card", "cards", "cost", "price_of"]
