"""Settings from where people write them: the defaults, the file, AK_ variables, flags. The later ones win.

All that is wrong is told at once: keys and variables that there are not, values that cannot be used.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autokitteh_server.config import Settings, default_data_dir
from autokitteh_server.config_table import OTHER_VARIABLES, Option, by_variable, make_settings, table
from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument
from autokitteh_server.core.names import did_you_mean

#: Sources that are not a variable or a place in the file.
DEFAULT, FLAG = "default", "flag"


class ConfigError(InvalidArgument):
    """Something in the configuration cannot be used; `problems` has a line for each such thing."""

    code = "invalid_config"

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))

    def __reduce__(self) -> tuple[type["ConfigError"], tuple[list[str]]]:
        return ConfigError, (list(self.problems),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A setting's value, and who said so."""

    option: Option
    value: Any
    source: str  # "default", "flag", a variable's name, or "FILE:LINE"

    @property
    def text(self) -> str:
        """The value for people: nothing secret is in it."""
        return "" if self.value is None else self.option.kind.show(self.value)


def load_settings(environ: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Settings:
    """The settings. `flags` are values (not text) by key, as the command line gives them. Raises ConfigError.

    And FailedPrecondition for a file that cannot be read.
    """
    values = load_values(environ, flags)
    return make_settings(
        {key: each.value for key, each in values.items() if each.source != DEFAULT or key == "data_dir"}
    )


def load_values(environ: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> dict[str, Value]:
    """Every setting by key, each with its source. Raises what `load_settings` does."""
    problems: list[str] = []
    defaults = {"data_dir": default_data_dir(environ)}
    values = {
        option.key: Value(option=option, value=defaults.get(option.key, option.default), source=DEFAULT)
        for option in table().values()
    }
    for source in (_from_file(environ, problems), _from_variables(environ, problems)):
        values |= {each.option.key: each for each in source}
    for key, value in (flags or {}).items():
        values[key] = Value(option=table()[key], value=value, source=FLAG)
    if problems:
        raise ConfigError(problems)
    return values


def config_file(environ: Mapping[str, str]) -> Path:
    """The file that has the settings, whether or not it is there."""
    if given := environ.get("AK_CONFIG"):
        return Path(given).expanduser().absolute()
    home = environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(home).expanduser() / "autokitteh" / "config.yaml"


def where_given(environ: Mapping[str, str]) -> str:
    """Where a key for secrets that is given as a setting stands."""
    return "AK_SECRET_KEY" if environ.get("AK_SECRET_KEY") else f"secret_key in {config_file(environ)}"


def _from_file(environ: Mapping[str, str], problems: list[str]) -> Iterator[Value]:
    path = config_file(environ)
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        if environ.get("AK_CONFIG"):
            problems.append(f"AK_CONFIG={path}: no such file. Make it, or unset AK_CONFIG.")
        return
    except OSError as error:
        raise FailedPrecondition(f"{path}: cannot be read: {error.strerror}", "Check its permissions.") from error
    # Reading YAML takes an import that those without a file can do without.
    from autokitteh_server.config_file import read_file

    found, in_file = read_file(text, str(path))
    problems += in_file
    for each in found:
        yield Value(option=each.option, value=each.value, source=f"{path}:{each.line}")


def _from_variables(environ: Mapping[str, str], problems: list[str]) -> Iterator[Value]:
    known = by_variable()
    for name in sorted(environ):
        if not name.startswith("AK_") or name in OTHER_VARIABLES:
            continue
        option = known.get(name)
        if option is None:
            near = did_you_mean(name, [*known, *OTHER_VARIABLES])
            remedy = f"Did you mean {near}?" if near else "`ak config list` shows all there are."
            problems.append(f"{name}: there is no such setting. {remedy}")
        elif environ[name]:  # an empty variable is as good as none
            try:
                yield Value(option=option, value=option.kind.parse(environ[name]), source=name)
            except ValueError as error:
                shown = "" if option.kind.is_secret else f"={environ[name]}"
                problems.append(f"{name}{shown}: {error}. Change or unset it.")
