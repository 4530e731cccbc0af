"""The webhooks by the integrations' names. Each is loaded when it is asked for."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec

from autokitteh_server.core.manifest_schema import INTEGRATIONS
from autokitteh_server.integrations.webhook import Webhook


@cache
def load_webhook(name: str) -> Webhook | None:
    """How an integration's service calls; None if it does not, or there is no such integration."""
    module = f"autokitteh_server.integrations.{name}.webhook"
    if name not in INTEGRATIONS or find_spec(module) is None:
        return None
    webhook = import_module(module).WEBHOOK
    assert isinstance(webhook, Webhook)
    return webhook
