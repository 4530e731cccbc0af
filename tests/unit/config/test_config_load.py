"""Settings from defaults, file, variables and flags; and what is said about those that cannot be used."""

from pathlib import Path
from typing import Any

import pytest

from autokitteh_runner.protocol import Limits
from autokitteh_server.config import HttpSettings, Settings
from autokitteh_server.config_load import ConfigError, load_settings, load_values
from autokitteh_server.config_table import OTHER_VARIABLES, by_variable, table

#: A key for secrets, such as can be used.
KEY = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the configuration file is, if a test writes one."""
    path = tmp_path / "autokitteh" / "config.yaml"
    path.parent.mkdir()
    return path


def environ(file: Path, **more: str) -> dict[str, str]:
    """An environment in which the file counts."""
    return {"XDG_CONFIG_HOME": str(file.parent.parent), "XDG_DATA_HOME": "/data", **more}


def problems(file: Path, **more: str) -> list[str]:
    """What is wrong."""
    with pytest.raises(ConfigError) as caught:
        load_settings(environ(file, **more))
    return list(caught.value.problems)


def test_without_anything_there_are_defaults(file: Path) -> None:
    """They are those of the classes."""
    assert load_settings(environ(file)) == Settings(data_dir=Path("/data/autokitteh"))


def test_the_later_source_wins(file: Path) -> None:
    """Defaults, then the file, then variables, then flags; and each value knows its source."""
    file.write_text("max_warm: 1\nmax_failures: 1\nmax_runners: 1\n")
    given = environ(file, AK_MAX_FAILURES="2", AK_MAX_RUNNERS="2")

    values = load_values(given, {"max_runners": 3})

    assert {key: (values[key].value, values[key].source) for key in ("max_warm", "max_failures", "max_runners")} == {
        "max_warm": (1, f"{file}:1"),
        "max_failures": (2, "AK_MAX_FAILURES"),
        "max_runners": (3, "flag"),
    }
    assert values["durable"].source == "default"
    assert load_settings(given, {"max_runners": 3}).max_runners == 3


def test_groups_are_levels(file: Path) -> None:
    """Two underscores in a variable are a point in a key, and a level in the file."""
    file.write_text("http:\n  addr: 0.0.0.0:1\n  allowed_hosts: [A.example, b.example]\nlimits:\n  fail_after_s: 0\n")

    settings = load_settings(environ(file, AK_HTTP__SERVICE_URL="https://ak.example/", AK_LIMITS__WARN_AFTER_S="2.5"))

    assert settings.http == HttpSettings(
        addr="0.0.0.0:1", allowed_hosts=("a.example", "b.example"), service_url="https://ak.example"
    )
    assert settings.limits == Limits(fail_after_s=0, warn_after_s=2.5)


def test_all_problems_are_told_at_once(file: Path) -> None:
    """Keys and variables that there are not, with what was meant; values that cannot be used; each with its place."""
    file.write_text("max_runers: 3\nhttp:\n  adr: x\n  addr: nowhere\n\nlimits: 5\nretention:\n  events_days: -1\n")

    found = problems(file, AK_HTTP__SERVICE_UR="x", AK_DURABLE="perhaps", AK_ZZZ="1")

    assert found == [
        f"{file}:1:1: max_runers: there is no such setting. Did you mean max_runners?",
        f"{file}:3:3: http.adr: there is no such setting. Did you mean http.addr?",
        f"{file}:4:9: http.addr: it must be HOST:PORT, such as 127.0.0.1:9980. Change or remove it.",
        f"{file}:6:9: limits: `limits` must have keys with values. Write `key: value`.",
        f"{file}:8:16: retention.events_days: it must be a number of at least 0. Change or remove it.",
        "AK_DURABLE=perhaps: it must be true or false. Change or unset it.",
        "AK_HTTP__SERVICE_UR: there is no such setting. Did you mean AK_HTTP__SERVICE_URL?",
        "AK_ZZZ: there is no such setting. `ak config list` shows all there are.",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("max_warm: [1\n", "not valid YAML"),
        ("- 1\n", "the file must have keys"),
        ("max_warm: 1\nmax_warm: 2\n", "comes twice"),
        ("max_warm:\n", "must be a whole number"),
        ("max_warm: {a: 1}\n", "must be a whole number"),
        ("http.max: 1\n", "no such setting"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(file: Path, text: str, said: str) -> None:
    """With line and column."""
    file.write_text(text)

    (problem,) = problems(file)

    assert problem.startswith(f"{file}:") and said in problem


@pytest.mark.parametrize("text", ["", "# nothing\n", "http:\n", "---\n"])
def test_a_file_may_say_nothing(file: Path, text: str) -> None:
    """A group without keys is as good as none."""
    file.write_text(text)

    assert load_settings(environ(file)) == load_settings({"XDG_DATA_HOME": "/data", "XDG_CONFIG_HOME": "/nowhere"})


def test_a_named_file_must_be_there(file: Path) -> None:
    """Without AK_CONFIG the file may be missing; whoever names one means it."""
    assert "no such file" in problems(file, AK_CONFIG="/nowhere/config.yaml")[0]

    other = file.with_name("other.yaml")
    other.write_text("max_warm: 7\n")
    assert load_settings(environ(file, AK_CONFIG=str(other))).max_warm == 7


def test_secrets_are_not_told(file: Path) -> None:
    """Neither as a value nor as the password in a URL."""
    values = load_values(environ(file, AK_SECRET_KEY=KEY, AK_DB="postgresql://me:hunter2@there/db"))

    assert values["secret_key"].text == "***"
    assert values["db"].text == "postgresql://me:***@there/db"
    assert values["secret_key"].value == KEY


def test_an_empty_variable_is_none(file: Path) -> None:
    """As in a unit file that sets all of them."""
    assert load_values(environ(file, AK_MAX_WARM="", AK_DB=""))["max_warm"].source == "default"


def test_variables_of_the_command_itself_are_known(file: Path) -> None:
    """`ak` looks at some that are no settings."""
    load_settings(environ(file) | dict.fromkeys(OTHER_VARIABLES.keys() - {"AK_CONFIG"}, "x"))


def test_a_key_is_refused_where_it_stands(file: Path) -> None:
    """In the variable or in a line of the file, without being shown."""
    file.write_text("max_warm: 1\nsecret_key: hunter2!\n")
    found = problems(file, AK_SECRET_KEY="c2hvcnQ")
    assert found[0].startswith(f"{file}:2:13: secret_key: key 1 is not base64url")
    assert found[1].startswith("AK_SECRET_KEY: key 1 has 5 bytes, not 32")
    assert "hunter2" not in str(found) and "c2hvcnQ" not in str(found)


def test_a_file_in_another_encoding_is_called_a_file(file: Path) -> None:
    """It is no manifest."""
    file.write_bytes("max_warm: 1 # é\n".encode("latin-1"))
    (problem,) = problems(file)
    assert "the file is not UTF-8" in problem


@pytest.mark.parametrize("text", ["nan", "inf", "0", "-1"])
def test_a_time_that_is_none(file: Path, text: str) -> None:
    """What must be more than 0 says so, also of what is no number."""
    (problem,) = problems(file, AK_HTTP__SYNC_TIMEOUT_S=text)
    assert problem == f"AK_HTTP__SYNC_TIMEOUT_S={text}: it must be a number of more than 0. Change or unset it."


SAMPLES: dict[str, tuple[str, Any]] = {
    "data_dir": ("/x", Path("/x")), "db": ("sqlite:////x.db", "sqlite:////x.db"), "durable": ("no", False),
    "effects_per_turn": ("3", 3), "http.addr": ("[::1]:80", "[::1]:80"), "http.service_url": ("https://x", "https://x"),
    "http.allowed_hosts": ("x, y", ("x", "y")), "secret_key": (KEY, KEY), "secret_key_file": ("/k", Path("/k")),
    "log.level": ("debug", "debug"), "log.format": ("json", "json"), "crash_at": ("turn.claimed:2", "turn.claimed:2"),
    "environment": ("full", "full"), "environment_folder": ("/e", Path("/e")), "isolation.mode": ("off", "off"),
    "environment_source_builds": ("yes", True), "isolation.read_paths": ("/a, /b", (Path("/a"), Path("/b"))),
    "isolation.write_paths": ("/c", (Path("/c"),)),
}  # fmt: skip


@pytest.mark.parametrize("key", list(table()))
def test_every_setting_can_be_given_by_its_variable(file: Path, key: str) -> None:
    """And arrives in the field of its name; each has help and a kind."""
    text, value = SAMPLES.get(key, ("12", 12))
    option = table()[key]

    found: Any = load_settings(environ(file, **{option.variable: text}))
    for name in key.split("."):
        found = getattr(found, name)

    assert found == value
    assert option.help and option.kind.name
    assert by_variable()[option.variable] is option


@pytest.mark.parametrize(
    ("key", "bad"),
    [
        ("db", "mysql://x"), ("http.addr", "x"), ("http.addr", "x:99999"), ("http.addr", "a b:1"),
        ("http.service_url", "ak.example.com"), ("http.service_url", "ftp://x"), ("http.allowed_hosts", "http://x"),
        ("http.webhook_body_bytes", "0"), ("http.sync_timeout_s", "0"), ("http.sync_timeout_s", "nan"),
        ("stop_grace_s", "inf"), ("stop_grace_s", "soon"), ("max_runners", "1.5"), ("log.level", "loud"),
        ("crash_at", "nowhere"), ("effects_per_turn", "0"),
    ],
)  # fmt: skip
def test_values_that_make_no_sense_are_refused(file: Path, key: str, bad: str) -> None:
    """Each kind knows what is one of its values."""
    (problem,) = problems(file, **{table()[key].variable: bad})

    assert problem.startswith(f"{table()[key].variable}={bad}: ")


@pytest.mark.parametrize(
    ("http", "url"),
    [
        (HttpSettings(), "http://127.0.0.1:9980"),
        (HttpSettings(addr="0.0.0.0:80"), "http://127.0.0.1:80"),
        (HttpSettings(addr="[::1]:80"), "http://[::1]:80"),
        (HttpSettings(addr=":80"), "http://127.0.0.1:80"),
        (HttpSettings(addr="0.0.0.0:80", service_url="https://ak.example"), "https://ak.example"),
    ],
)
def test_public_url(http: HttpSettings, url: str) -> None:
    """What others are told is an address they can use."""
    assert http.public_url == url
