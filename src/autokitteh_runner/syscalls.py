"""What the SDK's functions do in a session."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from autokitteh._jsonable import check_json
from autokitteh.attr_dict import AttrDict
from autokitteh.errors import DurableOnlyError, NotInActivityError
from autokitteh.event import Event, Signal
from autokitteh_runner.effects import Effects
from autokitteh_runner.preview import preview
from autokitteh_runner.scope import workflow_task


class SessionRuntime:
    """`autokitteh._runtime.Runtime` for a running session."""

    def __init__(
        self, effects: Effects, *, session_id: str, durable: bool, register_no_activity: Callable[[Iterable[Any]], None]
    ) -> None:
        self._effects = effects
        self._session_id = session_id
        self._durable = durable
        self._register_no_activity = register_no_activity

    def start(self, loc: str, data: Mapping[str, Any] | None, memo: Mapping[str, str] | None, project: str) -> str:
        arguments = {
            "loc": loc,
            "data": check_json(data or {}, "data"),
            "memo": dict(memo or {}),
            "project": project,
        }
        session_id: str = self._request("start", "autokitteh.start", arguments, f"{loc!r}, {preview(data)}")
        return session_id

    def subscribe(self, source: str, filter: str) -> str:
        arguments = {"source": source, "filter": filter}
        subscription_id: str = self._request("subscribe", "autokitteh.subscribe", arguments, f"{source!r}, {filter!r}")
        return subscription_id

    def unsubscribe(self, subscription_id: str) -> None:
        self._request("unsubscribe", "autokitteh.unsubscribe", {"id": subscription_id}, repr(subscription_id))

    def next_event(self, subscription_ids: Sequence[str], timeout: float | None) -> Event | None:
        found = self._wait("next_event", "autokitteh.next_event", subscription_ids, timeout)
        return None if found is None else Event(**found, session_id=self._session_id)

    def signal(self, session_id: str, name: str, payload: Any) -> None:
        arguments = {"session_id": session_id, "name": name, "payload": check_json(payload, "payload")}
        self._request("signal", "autokitteh.signal", arguments, f"{session_id!r}, {name!r}, {preview(payload)}")

    def next_signal(self, names: Sequence[str], timeout: float | None) -> Signal | None:
        if not self._durable:
            raise DurableOnlyError(
                "next_signal waits for a signal, which only a durable session can; mark the trigger is_durable: true, "
                "or start the session with --durable"
            )
        found = self._wait("next_signal", "autokitteh.next_signal", names, timeout)
        if found is None:
            return None
        payload = found["payload"]
        return Signal(found["name"], AttrDict(payload) if isinstance(payload, dict) else payload)

    def outcome(self, value: Any, event_id: str | None) -> None:
        arguments = {"value": check_json(value, "value"), "event_id": event_id}
        self._request("outcome", "autokitteh.outcome", arguments, preview(value))

    def http_outcome(self, reply: Mapping[str, Any], event_id: str | None) -> None:
        arguments = {"http": check_json(dict(reply), "http_outcome"), "event_id": event_id}
        self._request("outcome", "autokitteh.http_outcome", arguments, preview(dict(reply)))

    def mutate_value(self, key: str, op: str, args: Sequence[Any]) -> Any:
        checked = [check_json(arg, f"argument {number}") for number, arg in enumerate(args, 1)]
        shown = ", ".join([repr(key), *map(preview, checked)])
        return self._request("store", f"autokitteh.store.{op}", {"key": key, "op": op, "args": checked}, shown)

    def list_values_keys(self) -> list[str]:
        keys: list[str] = self._request("store", "autokitteh.list_values_keys", {"op": "list_keys"}, "")
        return keys

    def publish_value(self, key: str) -> str:
        url: str = self._request("store", "autokitteh.publish_value", {"op": "publish", "key": key}, repr(key))
        return url

    def unpublish_value(self, key: str) -> None:
        self._request("store", "autokitteh.unpublish_value", {"op": "unpublish", "key": key}, repr(key))

    def register_no_activity(self, items: Iterable[Any]) -> None:
        self._register_no_activity(items)

    def refresh_token(self, connection: str, *, force: bool = False) -> Mapping[str, Any]:
        arguments = {"connection": connection, "force": force}
        token: Mapping[str, Any] = self._effects.waits.ask("refresh_token", "autokitteh.refresh_token", arguments)
        return token

    def sign_jwt(self, connection: str, payload: Mapping[str, Any]) -> str:
        arguments = {"connection": connection, "payload": check_json(dict(payload), "payload")}
        signed: str = self._effects.waits.ask("sign_jwt", "autokitteh.sign_jwt", arguments)
        return signed

    def _request(self, kind: str, name: str, arguments: Mapping[str, Any], shown: str) -> Any:
        with self._effects.failing():
            return self._effects.waits.request(kind, name, arguments, shown)

    def _wait(self, kind: str, name: str, names: Sequence[str], timeout: float | None) -> Any:
        if not self._durable:
            return self._effects.waits.wait_plainly(kind, name, timeout, names, _shown(names, timeout))
        if workflow_task() is None:
            raise NotInActivityError(
                f"{name} waits, and an activity can't: its waiting would not survive. Call it in the function that "
                "calls the activity"
            )
        with self._effects.failing():
            return self._effects.waits.wait(kind, name, timeout, names, _shown(names, timeout))


def _shown(names: Sequence[str], timeout: float | None) -> str:
    return ", ".join(map(repr, names)) + ("" if timeout is None else f", timeout={timeout:g}")
