"""Which connections get an event, as data: variables, and the values that they have to have."""

from collections import ChainMap
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Final, cast

#: A match by the connection itself, for services that call an address of its own.
CONNECTION_ID: Final = "connection_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which connections get something: those whose variables have all these values, and whatever is to be there."""

    values: Mapping[str, str] = field(default_factory=dict)
    present: tuple[str, ...] = ()

    def holds(self, variables: Mapping[str, str]) -> bool:
        """Whether a connection with these variables is one of them. A value that nobody has told is nobody's."""
        named = all(value and variables.get(name, "") == value for name, value in self.values.items())
        return named and all(variables.get(name) for name in self.present) and bool(self.values or self.present)


def with_id(variables: Mapping[str, str], connection_id: str) -> Mapping[str, str]:
    """A connection's variables, and its id, by which it can be matched, too."""
    return ChainMap({CONNECTION_ID: connection_id}, cast(MutableMapping[str, str], variables))


def match_of(**values: object) -> Match:
    """Connections with these values. What is no text or number that a variable could have matches nobody."""
    return Match(values={name: plain(value) for name, value in values.items()})


def plain(value: object) -> str:
    """A text or number as a variable could have it; "" for everything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    if isinstance(value, int) and value.bit_length() > 128:  # too long to be an id; too long, even, to be a text
        return ""
    text = str(value)
    return text if len(text) <= 1000 and text.isprintable() else ""
