"""`ak config`, and how all of `ak` takes its settings."""

import json

from ak_process import Ak


def values(ak: Ak, **environ: str) -> dict[str, dict[str, object]]:
    """What `ak config list -j` says, by key."""
    return {str(each["key"]): each for each in ak("config", "list", "-j", environ=environ).objects}


def test_a_setting_is_written_and_shown_with_its_place(ak: Ak) -> None:
    """`set` makes the file that `where` names, and `list` says which line has the value."""
    where = ak("config", "where")
    assert (where.code, where.err) == (0, "There is no file there yet.\n")

    done = ak("config", "set", "http.service_url", "https://ak.example.com")

    file = where.lines[0]
    assert (done.code, done.out, done.err) == (0, "", f"{file}: http.service_url is set\n")
    assert values(ak)["http.service_url"] == {
        "key": "http.service_url",
        "value": "https://ak.example.com",
        "source": f"{file}:2",
    }
    assert ak("config", "where").err == ""


def test_list_for_people_masks_secrets(ak: Ak) -> None:
    """Columns line up; a variable is named as the source; what is secret is not shown."""
    environ = {
        "AK_MAX_WARM": "3",
        "AK_SECRET_KEY": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
        "AK_DB": "postgresql://me:hunter2@host/db",
    }
    shown, objects = ak("config", "list", environ=environ), ak("config", "list", "-j", environ=environ)

    lines = {line.split()[0]: line.split()[1:] for line in shown.lines}
    assert lines["KEY"] == ["VALUE", "FROM"]
    assert lines["max_warm"] == ["3", "AK_MAX_WARM"]
    assert lines["secret_key"] == ["***", "AK_SECRET_KEY"]
    assert lines["db"] == ["postgresql://me:***@host/db", "AK_DB"]
    assert lines["log.level"] == ["info", "default"]
    assert not any(word in shown.out + objects.out for word in ("hunter2", "a2tra2"))
    assert {"key": "max_warm", "value": 3, "source": "AK_MAX_WARM"} in objects.objects


def test_a_variable_that_wins_is_named(ak: Ak) -> None:
    """Whoever sets what a variable overrides is told so."""
    done = ak("config", "set", "max_warm", "5", environ={"AK_MAX_WARM": "3"})

    assert done.code == 0
    assert "AK_MAX_WARM is set, too, and wins" in done.err


def test_bad_settings_change_nothing(ak: Ak) -> None:
    """A key that there is not, and a value that cannot be used."""
    unknown, wrong = ak("config", "set", "htp.addr", "x:1"), ak("config", "set", "http.addr", "x")

    assert (unknown.code, wrong.code) == (44, 40)
    assert unknown.err == "Error: there is no setting 'htp.addr'\nDid you mean http.addr?\n"
    assert wrong.err.startswith("Error: http.addr 'x': it must be HOST:PORT")
    assert "no file there" in ak("config", "where").err


def test_everything_wrong_is_told_by_every_command(ak: Ak) -> None:
    """Not only `ak config`: whatever reads settings refuses all that it cannot use, at once, with file and line."""
    file = ak.folder / "my.yaml"
    file.write_text("max_warm: -1\nmax_wram: 1\n")
    environ = {"AK_CONFIG": str(file), "AK_MAX_RUNNER": "1"}
    ak.write(fine="def main(event):\n    print(1)\n")

    for command in (["config", "list"], ["run", "fine.py"], ["session", "list"]):
        ended = ak(*command, environ=environ)
        assert (ended.code, ended.out) == (40, ""), command
        assert ended.err.splitlines() == [
            f"Error: {file}:1:11: max_warm: it must be at least 0. Change or remove it.",
            f"{file}:2:1: max_wram: there is no such setting. Did you mean max_warm?",
            "AK_MAX_RUNNER: there is no such setting. Did you mean AK_MAX_RUNNERS?",
        ]


def test_the_file_counts_for_a_run(ak: Ak) -> None:
    """A session that is cut off at its limit says so, with the limit from the file."""
    ak("config", "set", "limits.result_bytes", "1000")
    ak.write(big="import os\ndef main(event):\n    os.urandom(5000)\n")

    ended = ak("run", "big.py", "-j")

    assert ended.code == 1
    assert "1,000" in json.dumps(ended.objects[-1]) or "1000" in json.dumps(ended.objects[-1])
