"""How events of the integrations come in, by the integrations' names. Each is loaded when it is asked for."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from autokitteh_server.core.manifest_schema import INTEGRATIONS
from autokitteh_server.integrations.feed import Feed
from autokitteh_server.integrations.gateway import Gateway
from autokitteh_server.integrations.webhook import Webhook

_PACKAGE: Final = "autokitteh_server.integrations"


@cache
def load_webhook(name: str) -> Webhook | None:
    """How an integration's service calls; None if it does not, or there is no such integration."""
    found = _load(name, "webhook")
    assert found is None or isinstance(found, Webhook)
    return found


@cache
def find_webhook(name: str) -> Webhook | None:
    """How events of an integration's connections are sent, be it by another integration's service."""
    webhooks = [(each, load_webhook(each)) for each in INTEGRATIONS]
    return next((found for each, found in webhooks if found is not None and name in (each, *found.also_for)), None)


@cache
def load_feed(name: str) -> Feed | None:
    """What an integration's service has to be told or asked; None if nothing, or there is no such integration."""
    found = _load(name, "feed")
    assert found is None or isinstance(found, Feed)
    return found


@cache
def load_gateway(name: str) -> Gateway | None:
    """How a connection to an integration's service is held open; None if none is, or there is no such integration."""
    found = _load(name, "gateway")
    assert found is None or isinstance(found, Gateway)
    return found


def _load(name: str, part: str) -> object:
    """The one constant of an integration's module, which is named like the module."""
    module = f"{_PACKAGE}.{name}.{part}"
    if name not in INTEGRATIONS or find_spec(module) is None:
        return None
    return getattr(import_module(module), part.upper())
