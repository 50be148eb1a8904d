"""The four kinds of message, one for each way over the bus.

A message says what, never for whom: the tenant travels in the envelope, where the credential check put it.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, PlainSerializer, SecretStr

Secret = Annotated[SecretStr, PlainSerializer(lambda secret: secret.get_secret_value(), when_used="json")]
"""Masked in every repr and dump but the JSON of the one reply that carries it."""


class Body(BaseModel):
    """Base of everything that travels: frozen, and refusing fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Message(Body):
    """Something with a name on the wire: `<owner>.<what>.v<version>`."""

    wire: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        MESSAGES.update({cls.wire: cls} if cls.wire else {})


MESSAGES: dict[str, type[Message]] = {}
"""Every message class by its wire name; filled as the contract modules are imported."""


class Durable(Message):
    """Stored by the broker until its consumers are done with it (`publish` / `subscribe`)."""


class Command(Durable):
    """Asks one service to do something; imperative name."""


class Event(Durable):
    """States what happened, to whoever subscribed; name in the past tense."""


Reply = TypeVar("Reply", bound=BaseModel)


class Query(Message, Generic[Reply]):
    """Asks one service and waits for its reply; never stored (`request` / `respond`).

    Also the only way for what must not be kept, such as a new secret.
    """

    reply: ClassVar[type[BaseModel]]


class Signal(Message):
    """Told to all who listen at this moment, kept nowhere (`signal` / `listen`)."""
