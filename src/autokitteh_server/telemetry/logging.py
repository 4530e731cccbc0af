"""The server's log: a sentence for people and fields for programs, as text or as JSON lines, without secrets.

Fields are given the standard way: `_log.info("swept 5 events", extra={"action": "sweep", "events": 5})`.
"""

import json
import logging
import time
from collections.abc import Mapping
from typing import Any, TextIO

from autokitteh_server.core.masking import Masker, masker
from autokitteh_server.core.timestamps import format_time

#: The parts whose levels the settings choose; all others only warn.
_OURS = "autokitteh_server"

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}

# Control characters would let what came from outside write on a terminal, or begin a line of its own.
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_CONTROL_BUT_NEWLINE = {code: text for code, text in _CONTROL.items() if code not in (0x09, 0x0A)}


def configure_logging(level: str, format: str, stream: TextIO, *, secrets: Masker = masker) -> logging.Handler:
    """Send the log of this process to a stream, and there only; the handler that does. Safe to call again.

    `level`: debug, info, warning or error. `format`: text, json, or auto: text if the stream is a terminal.
    """
    as_text = format == "text" or (format == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter(secrets) if as_text else JsonFormatter(secrets))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_OURS).setLevel(level.upper())
    return handler


class _Formatter(logging.Formatter):
    """Takes a record apart, masked."""

    def __init__(self, secrets: Masker) -> None:
        super().__init__()
        self._secrets = secrets

    def message_of(self, record: logging.LogRecord) -> str:
        return self._secrets.mask(record.getMessage())

    def fields_of(self, record: logging.LogRecord) -> Mapping[str, Any]:
        return {
            name: value if value is None or isinstance(value, bool | int | float) else self._secrets.mask(str(value))
            for name, value in vars(record).items()
            if name not in _STANDARD
        }

    def traceback_of(self, record: logging.LogRecord) -> str:
        return self._secrets.mask(self.formatException(record.exc_info)) if record.exc_info else ""


class TextFormatter(_Formatter):
    """One line for people, and a traceback below it: `12:00:00 info     swept 5 events  action=sweep events=5`."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%H:%M:%S", time.localtime(record.created))
        message = self.message_of(record).translate(_CONTROL)
        fields = " ".join(f"{name}={_text(value)}" for name, value in self.fields_of(record).items())
        line = f"{at} {record.levelname.lower():8} {message}" + (f"  {fields}" if fields else "")
        trace = self.traceback_of(record).translate(_CONTROL_BUT_NEWLINE)
        return f"{line}\n{trace}" if trace else line


class JsonFormatter(_Formatter):
    """One JSON object a line: t, level, logger, message, then the fields; `error` is a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "t": format_time(int(record.created * 1_000_000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.message_of(record),
        }
        line |= {name: value for name, value in self.fields_of(record).items() if name not in line}
        if trace := self.traceback_of(record):
            line["error"] = trace
        return json.dumps(line)


def _text(value: Any) -> str:
    text = str(value).translate(_CONTROL)
    return json.dumps(text) if " " in text or '"' in text or not text else text
