"""Every setting in one table, made from the classes of `config`."""

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from typing import Any

from autokitteh_runner.protocol import Limits
from autokitteh_server.config import HttpSettings, IsolationSettings, LogSettings, RetentionSettings, Settings
from autokitteh_server.config_kinds import NUMBER, Kind, whole_number

#: The settings that are groups of others. The wire's class knows nothing of kinds.
_GROUPS: dict[str, type[Any]] = {
    "limits": Limits,
    "http": HttpSettings,
    "retention": RetentionSettings,
    "log": LogSettings,
    "isolation": IsolationSettings,
}
_LIMITS: dict[str, tuple[Kind, str]] = {
    "warn_after_s": (NUMBER, "seconds after which a warning tells of workflow code that does not come back; 0: never"),
    "fail_after_s": (NUMBER, "seconds after which its session fails; 0: never"),
    "result_bytes": (whole_number(0), "the largest pickled result of one activity; 0: any"),
    "memory_bytes": (whole_number(0), "memory of all processes of a session; 0: any"),
    "cpu_s": (NUMBER, "seconds of processor time of each process of a session; 0: any"),
    "processes": (whole_number(0), "processes that a session may have at once; 0: any"),
    "open_files": (whole_number(0), "files that each process of a session may have open; 0: any"),
    "file_bytes": (whole_number(0), "the size of each file that a session writes; 0: any"),
    "log_bytes": (whole_number(0), "what one process may put into its session's log; the rest is dropped; 0: any"),
}

#: Variables that are no settings of the server: `ak` itself looks at them.
OTHER_VARIABLES = {
    "AK_CONFIG": "the configuration file, instead of `autokitteh/config.yaml` in the XDG config directory",
    "AK_SERVER_URL": "the server that `ak` talks to",
    "AK_TOKEN": "the token with which it does",
    "AK_DEBUG": "1: show tracebacks of internal errors",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One setting."""

    key: str  # "http.addr"
    kind: Kind
    help: str
    default: Any
    default_text: str  # for people

    @property
    def variable(self) -> str:
        """The environment variable that gives it."""
        return "AK_" + self.key.replace(".", "__").upper()


@cache
def table() -> dict[str, Option]:
    """Every setting by its key, in the order of the classes."""
    return {option.key: option for option in _options()}


@cache
def by_variable() -> dict[str, Option]:
    """Every setting by its variable."""
    return {option.variable: option for option in table().values()}


def group_names() -> frozenset[str]:
    """The keys under which there are others."""
    return frozenset(_GROUPS)


def make_settings(values: dict[str, Any]) -> Settings:
    """Settings from values by key; what is not given has its default. `data_dir` must be given."""
    given: dict[str, Any] = {key: value for key, value in values.items() if "." not in key}
    for group, cls in _GROUPS.items():
        prefix = f"{group}."
        inner = {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}
        given[group] = cls(**inner)
    return Settings(**given)


def _options() -> Iterator[Option]:
    for each in fields(Settings):
        cls = _GROUPS.get(each.name)
        if cls is None:
            yield _option(each.name, each)
        else:
            assert is_dataclass(cls)
            for inner in fields(cls):
                yield _option(f"{each.name}.{inner.name}", inner)


def _option(key: str, each: Any) -> Option:
    kind, help = _LIMITS[each.name] if key.startswith("limits.") else (each.metadata["kind"], each.metadata["help"])
    default = each.default if each.default is not MISSING else None
    if each.default_factory is not MISSING:
        default = each.default_factory()
    words = each.metadata.get("default in words", "")
    text = words or (kind.show(default) if default is not None else "")
    return Option(key=key, kind=kind, help=help, default=default, default_text=text)
