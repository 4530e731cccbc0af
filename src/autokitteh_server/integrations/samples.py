"""Sample data of events: what a handler gets, for trying it without the service. They lie beside each integration."""

import json
from importlib.resources import files
from typing import Any

from autokitteh_server.core.manifest_schema import INTEGRATIONS


def sample_types(integration: str) -> tuple[str, ...]:
    """The types of events of which there are samples, by name. Raises LookupError for an unknown integration."""
    folder = _folder(integration)
    if not folder.is_dir():
        return ()
    return tuple(sorted(each.name.removesuffix(".json") for each in folder.iterdir() if each.name.endswith(".json")))


def load_sample(integration: str, event_type: str) -> Any:
    """The data of a typical event. Raises LookupError, with what there is, if there is no sample of it."""
    there = sample_types(integration)
    if event_type not in there:
        known = ", ".join(there) or "none"
        raise LookupError(f"{integration} has no sample of {event_type}; there are: {known}")
    return json.loads((_folder(integration) / f"{event_type}.json").read_text(encoding="utf-8"))


def _folder(integration: str) -> Any:
    if integration not in INTEGRATIONS:
        raise LookupError(f"there is no integration {integration}")
    return files("autokitteh_server.integrations") / integration / "samples"
