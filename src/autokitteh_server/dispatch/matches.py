"""Evaluates filters on what has come in, each once."""

from collections.abc import Sequence

from autokitteh_server.core.filters import Activation, FilterError, Match, activate, compile_filter
from autokitteh_server.dispatch.incoming import Incoming


class Matches:
    """Remembers what filters said of a batch, so that it can be asked before a transaction and again in it."""

    def __init__(self, batch: Sequence[Incoming]) -> None:
        self._incoming = {each.event_id: each for each in batch}
        self._activations: dict[str, Activation] = {}
        self._known: dict[tuple[str, str], Match] = {}

    def match(self, event_id: str, text: str) -> Match:
        """Whether one of the batch passes a filter. Never raises."""
        if not text:
            return Match(True)
        known = self._known.get((event_id, text))
        if known is None:
            known = self._known[event_id, text] = self._evaluate(event_id, text)
        return known

    def _evaluate(self, event_id: str, text: str) -> Match:
        try:
            compiled = compile_filter(text)
        except FilterError as err:  # it was fine when it was saved, under an older version say
            return Match(False, str(err))
        activation = self._activations.get(event_id)
        if activation is None:
            incoming = self._incoming[event_id]
            activation = self._activations[event_id] = activate(incoming.event_type, incoming.data)
        return compiled.match(activation)
