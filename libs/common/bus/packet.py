"""What a broker carries, whichever it is: CloudEvents attributes and a body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from libs.common.contracts.envelope import Envelope


@dataclass(frozen=True, slots=True)
class Packet:
    """Headers by their CloudEvents names (lower-case letters and digits), without a broker's prefix."""

    headers: dict[str, str]
    data: bytes

    @classmethod
    def of(cls, envelope: Envelope) -> Packet:
        return cls(envelope.headers(), envelope.data)

    def envelope(self) -> Envelope:
        """ValueError (KeyError, ValidationError) if the headers describe none."""
        return Envelope.parse(self.headers, self.data)

    def number(self, name: str) -> float:
        """A header of our own that holds a number; 0 where it is missing or holds something else."""
        try:
            return float(self.headers.get(name, "0"))
        except ValueError:
            return 0.0

    def marked(self, **marks: str) -> Packet:
        """The same with more headers."""
        return Packet({**self.headers, **marks}, self.data)

    def prefixed(self, prefix: str) -> dict[str, str]:
        """Headers as a broker's binding of CloudEvents names them."""
        return {f"{prefix}{name}": value for name, value in self.headers.items()}

    @classmethod
    def unprefixed(cls, headers: Mapping[str, object], data: bytes, prefix: str) -> Packet:
        """The packet whose headers have that prefix; what else is there is left out."""
        cut = len(prefix)
        named = {name[cut:]: value for name, value in headers.items() if name.startswith(prefix)}
        return cls({name: value for name, value in named.items() if isinstance(value, str)}, data)
