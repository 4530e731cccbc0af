"""Who runs as whom, and what is covered for whom: decided from what a machine is like."""

import os
from pathlib import Path

import pytest

from autokitteh_server.runners.isolation import Isolation, plan_isolation


def isolation(needs: tuple[Path, ...] = (), *, switches_users: bool = True, users: int = 1_000_000) -> Isolation:
    """As on a machine that has everything."""
    return Isolation(
        is_on=True, switches_users=switches_users, why_no_users="", needs=needs, first_user=5_000, users=users,
        installation=b"here",
    )  # fmt: skip


def test_each_project_has_a_user_of_its_own() -> None:
    """Also where they are as many as there are users."""
    few = isolation(users=50)

    users = [few.user_of(f"prj_{number}") for number in range(50)]

    assert sorted(user for user in users if user is not None) == list(range(5_000, 5_050))
    assert [few.user_of(f"prj_{number}") for number in range(50)] == users


def test_the_same_project_has_the_same_user_in_the_next_server() -> None:
    """What it has left behind somewhere stays its own; another server's projects have others."""
    assert isolation().user_of("prj_1") == isolation().user_of("prj_1") != isolation().user_of("prj_2")


def test_without_users_there_are_none() -> None:
    """Sessions run as the server does."""
    assert isolation(switches_users=False).user_of("prj_1") is None


def test_what_cannot_be_entered_is_covered_but_for_what_is_needed(tmp_path: Path) -> None:
    """From the outermost closed folder on; what lies in what is kept anyway is not named again."""
    closed = tmp_path / "home"
    python, data = closed / "python", closed / "inner" / "data"
    for folder in (python / "lib", data):
        folder.mkdir(parents=True)
    closed.chmod(0o700)
    (closed / "inner").chmod(0o700)
    outermost = next(folder for folder in [*reversed(closed.parents), closed] if not folder.stat().st_mode & 0o001)

    covers = isolation((python, python / "lib")).covers([data])

    assert covers == {str(outermost): sorted([str(python), str(data)])}


def test_nothing_is_covered_where_all_may_go() -> None:
    """As in /usr."""
    assert isolation((Path("/usr/lib"),)).covers([Path("/usr/share")]) == {}


def test_isolation_that_is_not_wanted() -> None:
    """Has a reason."""
    plan = plan_isolation(is_wanted=False, needs=[Path("/usr")])
    assert (plan.is_on, plan.switches_users, plan.why_no_users) == (False, False, "isolation is off")


@pytest.mark.skipif(os.geteuid() == 0, reason="only root can be other users")
def test_whoever_is_not_root_cannot_be_others() -> None:
    """And says so."""
    assert "not run as root" in plan_isolation(is_wanted=True, needs=[Path("/usr")]).why_no_users
