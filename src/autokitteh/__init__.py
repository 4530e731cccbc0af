"""What workflow code imports: events, signals, stored values, outcomes, and marks for durable functions."""

from autokitteh.activities import activity, inhibit_activities, register_no_activity
from autokitteh.attr_dict import AttrDict
from autokitteh.errors import (
    ActivityInterruptedError,
    AtlassianOAuthError,
    AuthenticationError,
    AutoKittehError,
    ConnectionInitError,
    DurableOnlyError,
    EnvVarError,
    NonDeterminismError,
    NotInActivityError,
    OAuthRefreshError,
    ResultTooLargeError,
    UnpicklableResultError,
)
from autokitteh.event import Event, Signal
from autokitteh.events import next_event, subscribe, unsubscribe
from autokitteh.outcomes import http_outcome, outcome
from autokitteh.sessions import start
from autokitteh.signals import next_signal, signal

# This makes the package's attribute `store` the mapping; the module stays importable by its name.
from autokitteh.store import (
    add_values,
    check_and_set_value,
    del_value,
    get_store_public_url,
    get_value,
    list_values_keys,
    mutate_value,
    publish_value,
    set_value,
    store,
    unpublish_value,
)
from autokitteh.triggers import get_webhook_url

__all__ = [
    "ActivityInterruptedError",
    "AtlassianOAuthError",
    "AttrDict",
    "AuthenticationError",
    "AutoKittehError",
    "ConnectionInitError",
    "DurableOnlyError",
    "EnvVarError",
    "Event",
    "NonDeterminismError",
    "NotInActivityError",
    "OAuthRefreshError",
    "ResultTooLargeError",
    "Signal",
    "UnpicklableResultError",
    "activity",
    "add_values",
    "check_and_set_value",
    "del_value",
    "get_store_public_url",
    "get_value",
    "get_webhook_url",
    "http_outcome",
    "inhibit_activities",
    "list_values_keys",
    "mutate_value",
    "next_event",
    "next_signal",
    "outcome",
    "publish_value",
    "register_no_activity",
    "set_value",
    "signal",
    "start",
    "store",
    "subscribe",
    "unpublish_value",
    "unsubscribe",
]
