"""One session in its process: load the project, find the handler, run it, say how it ended."""

import gc
import inspect
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import autokitteh._runtime
from autokitteh._jsonable import check_json
from autokitteh.event import Event
from autokitteh_runner.audit import watch_io
from autokitteh_runner.calls import Resolver, loading
from autokitteh_runner.capture import capture
from autokitteh_runner.channel import Channel
from autokitteh_runner.confinement import confine_runner, limit_runner
from autokitteh_runner.effects import Effects
from autokitteh_runner.importer import ProjectImporter
from autokitteh_runner.protocol import (
    VERSION,
    Journal,
    Limits,
    ProtocolError,
    ReplayRecord,
    Run,
    cut_payloads,
    dump_json,
    load_json,
)
from autokitteh_runner.remedies import remedy_for
from autokitteh_runner.scope import Task, scope
from autokitteh_runner.site import Sites
from autokitteh_runner.syscalls import SessionRuntime
from autokitteh_runner.watchdog import watch


def run_session(sock: socket.socket) -> None:
    """Run the session that the server names on this socket. Does not return: the process ends with the session."""
    os.register_at_fork(after_in_child=lambda: sock.close())  # a child must not speak in this session's name
    local_files: set[str] = set()
    sites = Sites("/", local_files)
    effects = Effects(lambda handle: Channel(sock, handle), sites)
    run = effects.channel.receive_first()
    if not isinstance(run, Run) or run.version != VERSION:
        raise ProtocolError(f"expected the beginning of a session in version {VERSION} of the protocol, got {run!r}")
    effects.begin(Limits(**run.limits), run.created_at)  # type: ignore[arg-type]  # JSON keeps int and float apart
    _load_journal(effects)
    Session(run, effects, sites, local_files).run()


def _load_journal(effects: Effects) -> None:
    # Garbage collection finds nothing in a list that only grows, and costs a third of the time.
    gc.disable()
    while True:
        message = effects.channel.receive_first()
        if not isinstance(message, Journal):
            raise ProtocolError(f"expected a journal, got {message!r}")
        records = [ReplayRecord(*record) for record in message.records]
        for record, payload in zip(records, cut_payloads([r.size for r in records], message.body), strict=True):
            effects.replay.add(record, payload)
        if message.last:
            gc.enable()
            return


class Session:
    """The running of one session's handler."""

    def __init__(self, run: Run, effects: Effects, sites: Sites, local_files: set[str]) -> None:
        self._run = run
        self._effects = effects
        self._sites = sites
        sites.set_root(run.root)
        self._resolver = Resolver(effects, sites, local_files, seed=run.session_id)
        self._importer = ProjectImporter(Path(run.root), self._resolver.resolve if run.durable else None, loading)
        self._importer.local_files = local_files

    def run(self) -> None:
        """Run it to its end."""
        self._prepare_process()
        finish_printing = capture(
            self._effects, lambda path: path in self._importer.local_files, durable=self._run.durable
        )
        autokitteh._runtime.install(
            SessionRuntime(
                self._effects,
                session_id=self._run.session_id,
                durable=self._run.durable,
                register_no_activity=self._resolver.register_no_activity,
            )
        )
        self._importer.install()
        if self._run.durable:
            watch(self._effects, self._sites)
            watch_io(self._effects, self._sites)
        state, error, result = self._outcome()
        finish_printing()
        self._effects.end(state, error, result)

    def _prepare_process(self) -> None:
        run = self._run
        os.environ["TMPDIR"] = run.temporary
        if run.confine:
            os.environ["HOME"] = run.temporary  # what programs keep at home, and find there, is the server's otherwise
        os.environ.update(run.vars)
        if "TZ" in run.vars:
            time.tzset()
        os.chdir(run.root)
        sys.argv = [run.entry.partition(":")[0]]
        if run.confine:
            confine_runner(run.readable, run.writable)
        limit_runner(self._effects.limits)

    def _outcome(self) -> tuple[str, str, bytes]:
        try:
            handler = self._load_handler()
            result = self._call(handler)
            self._effects.check_replay_is_over()
        except SystemExit as err:
            if err.code in (None, 0):
                return "COMPLETED", "", b"null"
            return "ERROR", f"SystemExit: the code called sys.exit({err.code!r})", b""
        except BaseException as err:
            return "ERROR", self._sites.describe(err) + remedy_for(err, self._effects.limits, self._run), b""
        return "COMPLETED", "", self._encode(result)

    def _load_handler(self) -> Callable[..., Any]:
        file, _, function = self._run.entry.partition(":")
        module = self._importer.load_file(file)
        handler = getattr(module, function, None)
        if not callable(handler):
            raise AttributeError(f"{file} has no function {function!r}; it is the session's entry point")
        if inspect.isgeneratorfunction(handler) or inspect.isasyncgenfunction(handler):
            raise TypeError(f"{function} in {file} has a yield in it, so that a call would run none of it")
        found: Callable[..., Any] = handler
        return found

    def _call(self, handler: Callable[..., Any]) -> Any:
        event = load_json(self._run.body)
        arguments = _arguments(handler, Event(**event, session_id=self._run.session_id), self._run.session_id)
        if not self._run.durable:
            result = handler(*arguments)
            if not inspect.isawaitable(result):
                return result
            import asyncio  # a session without async code needs none of it

            return asyncio.run(_wait_for(result))
        scope.set(Task("0"))
        self._effects.stopwatch.start()
        result = self._resolver.resolve(handler)(*arguments)
        if inspect.isawaitable(result):
            result = self._resolver.run_in_loop(_wait_for(result))
        self._effects.stopwatch.stop()
        return result

    def _encode(self, result: Any) -> bytes:
        limit = int(self._effects.limits.result_bytes)
        try:
            body = dump_json(check_json(result, "the returned value")).encode()
            if not limit or len(body) <= limit:
                return body
            why = f"the returned value has {len(body):,} bytes, the limit is {limit:,}"
        except TypeError as err:
            why = str(err)
        self._effects.outbox.say("warning", "result", f"{why}. It is not kept, and not sent to the session's parent")
        return b"null"


async def _wait_for(awaitable: Any) -> Any:
    return await awaitable


def _arguments(handler: Callable[..., Any], event: Event, session_id: str) -> list[Any]:
    """What a handler accepts of the event and the session's id: nothing, the first, or both."""
    try:
        parameters = inspect.signature(handler).parameters.values()
    except (ValueError, TypeError):  # in C, without a signature
        return [event]
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return [event, session_id][: max(len(positional), 1)]
    required = sum(p.default is p.empty for p in positional)
    named = [p for p in positional[1:2] if p.name == "session_id"]
    return [event, session_id][: max(min(len(positional), 1) + len(named), min(required, 2))]
