"""What all gateways have in common."""

import subprocess
import sys

import pytest

from autokitteh_server.integrations.backoff import Backoff
from autokitteh_server.integrations.incoming import load_gateway


def test_waiting_becomes_longer_and_ends_at_five_minutes() -> None:
    """However often it fails."""
    backoff = Backoff(chance=lambda: 0.0)

    assert [backoff.next_s() for _ in range(11)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert [backoff.next_s() for _ in range(5000)][-1] == 300


def test_waiting_begins_anew_once_it_has_worked() -> None:
    """The next failure is a first one."""
    backoff = Backoff(chance=lambda: 0.0)
    for _ in range(5):
        backoff.next_s()
    backoff.reset()

    assert backoff.next_s() == 1


@pytest.mark.parametrize(("chance", "expected"), [(0.0, [1, 2, 3]), (0.5, [0.75, 1.5, 2.25]), (1.0, [0.5, 1, 1.5])])
def test_waiting_is_up_to_a_half_shorter(chance: float, expected: list[float]) -> None:
    """So that those who were cut off together do not come back together."""
    backoff = Backoff(longest_s=3, chance=lambda: chance)

    assert [backoff.next_s() for _ in range(3)] == expected


def test_a_server_without_connections_pays_for_no_library() -> None:
    """They take time to import, and megabytes: only whoever opens a socket needs them."""
    program = (
        "import sys, autokitteh_server.application\n"
        "from autokitteh_server.integrations.incoming import load_gateway\n"
        "assert load_gateway('slack') and load_gateway('discord') and load_gateway('salesforce')\n"
        "print([each for each in ('aiohttp', 'slack_sdk', 'discord') if each in sys.modules])"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"


def test_services_that_post_have_no_gateway() -> None:
    """Nor has what does not exist."""
    assert [load_gateway(name) for name in ("github", "telegram", "nothing")] == [None, None, None]
