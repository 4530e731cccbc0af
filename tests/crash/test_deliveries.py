"""Servers killed while services send events, or are asked for them: nothing is lost, nothing happens twice."""

import json
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from autokitteh_server.core import crashpoints
from crash.town import Town
from deliveries import JSON, hmac_hex
from harness import PATIENCE_S
from served import Served, serving
from unit.integrations.feeds import Answer, Asked
from unit.integrations.feeds import serving as standing_in
from unit.integrations.telegram_service import TOKEN, Telegram

SECRET = "s3cret"

PROGRAM = """
def main(event):
    return event.data.n
"""

#: Deliveries, how many of them are sent again, and after how many acknowledgements a server dies.
COUNT = 10_000
REPEATS = 1_000
DEATHS = (2_500, 5_000, 7_500)

SENDERS = 8


class Repository(Town):
    """A project that gets what GitHub posts."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        with serving(folder, durable=True) as served:
            served.connect("github", {"pat": "p", "pat_key": "k1", "pat_secret": SECRET}, PROGRAM)

    def check(self, count: int, patience_s: float = PATIENCE_S) -> None:
        """Each of so many deliveries has one event, one session, and the right outcome."""
        with self.ended(patience_s) as served:
            events, sessions = served.events(), served.sessions()
        assert Counter(event.data["n"] for event in events) == Counter(range(count))
        by_event = {event.id: event.data["n"] for event in events}
        assert all(session.result == by_event[session.event_id or ""] for session in sessions)

    def check_stored(self, count: int) -> None:
        """The same as far as it has come. All sessions to their ends would take a minute, which other tests spend."""
        served = Served(self.folder, durable=True)
        with served.app:
            events, sessions = served.events(count + REPEATS), served.sessions(count + REPEATS)
        assert Counter(event.data["n"] for event in events) == Counter(range(count))
        by_event = {event.id: event.data["n"] for event in events}
        assert Counter(session.event_id for session in sessions) == Counter(by_event.keys())
        ended = [session for session in sessions if session.state.is_final]
        assert ended
        assert all(session.result == by_event[session.event_id or ""] for session in ended)


class GitHub:
    """Sends deliveries until each has a 2xx: to whatever server there is, by many threads, and some of them twice."""

    def __init__(self, order: list[int]) -> None:
        self._left = list(reversed(order))
        self._changed = threading.Condition()
        self._url = ""  # "": nobody knows of any server
        self._under_way = 0
        self.is_over = False
        self.acknowledged: list[int] = []
        self.failed: list[int] = []  # statuses of all others; 0: the server died meanwhile

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Send, to servers that are named meanwhile, until all is sent."""
        threads = [threading.Thread(target=self._send) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            with self._changed:
                self.is_over = True
                self._changed.notify_all()
            for thread in threads:
                thread.join()

    def redirect(self, url: str) -> None:
        """There is a new server. Whoever had no answer of the old one sends again."""
        with self._changed:
            self._url = url
            self._changed.notify_all()

    def repeat_last(self, count: int) -> None:
        """Send again, before anything else, what was acknowledged last."""
        with self._changed:
            self._left += self.acknowledged[-count:]
            self._changed.notify_all()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until so much is acknowledged, or sent."""
        with self._changed:
            assert self._changed.wait_for(condition, 5 * PATIENCE_S), (len(self.acknowledged), len(self._left))

    @property
    def is_done(self) -> bool:
        """Whether everything has its 2xx."""
        return not self._left and not self._under_way

    def _send(self) -> None:
        while url := self._next_server():
            with httpx.Client(base_url=url, timeout=PATIENCE_S) as client:
                while self._url == url and self._send_one(client, url):
                    pass

    def _next_server(self) -> str:
        """Where the server is, once there is one; "" in the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._url or self.is_over)
            return "" if self.is_over else self._url

    def _send_one(self, client: httpx.Client, url: str) -> bool:
        """False once the server is gone, or all is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._left or self.is_over)
            if self.is_over:
                return False
            n = self._left.pop()
            self._under_way += 1
        try:
            status = client.post("/github/webhook/k1", **delivery(n)).status_code
        except httpx.TransportError:
            status = 0
        with self._changed:
            self._under_way -= 1
            if status == 200:
                self.acknowledged.append(n)
            else:
                self._left.append(n)
                self.failed.append(status)
                if self._url == url:  # otherwise there is a new one already
                    self._url = ""
            self._changed.notify_all()
        return status == 200


def delivery(n: int) -> dict[str, Any]:
    """GitHub's delivery of this number."""
    body = json.dumps({"n": n}).encode()
    headers = {
        "content-type": JSON,
        "x-github-event": "push",
        "x-github-delivery": f"delivery-{n}",
        "x-hub-signature-256": f"sha256={hmac_hex(SECRET, body)}",
    }
    return {"content": body, "headers": headers}


def order_of(count: int, repeats: int, choose: random.Random) -> list[int]:
    """Deliveries with repeats among them: half of them at once, so that both are under way; half of them later on."""
    found = list(range(count))
    for n in choose.sample(range(count), repeats // 2):
        found.insert(found.index(n) + 1, n)
    for n in choose.sample(range(count), repeats - repeats // 2):
        found.insert(choose.randint(found.index(n) + 1, len(found)), n)
    return found


@pytest.mark.slow
def test_killed_under_ten_thousand_deliveries(tmp_path: Path) -> None:
    """Each has one session in the end: those that were sent again, too, also right after a server has died."""
    town = Repository(tmp_path)
    again = REPEATS // (2 * len(DEATHS))
    github = GitHub(order_of(COUNT, REPEATS - again * len(DEATHS), random.Random(7)))
    with github.sending():
        for deaths in DEATHS:
            with town.server() as (process, url):
                github.redirect(url)
                github.wait_until(lambda at=deaths: len(github.acknowledged) >= at)  # type: ignore[misc]
                process.send_signal(signal.SIGKILL)
            github.repeat_last(again)
        with town.server() as (_, url):
            github.redirect(url)
            github.wait_until(lambda: github.is_done)
    assert len(github.acknowledged) == COUNT + REPEATS
    assert set(github.failed) == {0}
    town.check_stored(COUNT)


@pytest.mark.slow
@pytest.mark.parametrize("point", crashpoints.EVENT_NAMES)
def test_killed_at_each_point(tmp_path: Path, point: str) -> None:
    """A server that dies at a point of dispatch, time after time, while GitHub posts."""
    town, github = Repository(tmp_path), GitHub(order_of(200, 20, random.Random(7)))
    with github.sending():
        for passage in (1, 2, 3, 1):
            with town.server(AK_CRASH_AT=f"{point}:{passage}") as (process, url):
                github.redirect(url)
                assert process.wait(PATIENCE_S) == -signal.SIGKILL
        with town.server() as (_, url):
            github.redirect(url)
            github.wait_until(lambda: github.is_done)
    town.check(200)


class Chat:
    """Two updates for each time that they are asked for, until there were enough."""

    def __init__(self, count: int) -> None:
        self._telegram = Telegram()
        self._count = count
        self._changed = threading.Condition()

    def answer(self, asked: Asked) -> Answer:
        """As Telegram does."""
        with self._changed:
            if asked.path.endswith("/getUpdates"):
                for _ in range(2):
                    if self._telegram.next_id <= self._count:
                        self._telegram.happens()
            found = self._telegram.answer(asked)
            self._changed.notify_all()
            return found

    def wait_until_confirmed(self) -> None:
        """Wait until all updates have come, and were confirmed."""
        with self._changed:
            assert self._changed.wait_for(
                lambda: self._telegram.next_id > self._count and not self._telegram.updates, PATIENCE_S
            )


#: What a server has begun nobody else does for a minute. One that starts anew knows better.
SOON_S = 30


@pytest.mark.slow
@pytest.mark.parametrize("point", crashpoints.FEED_NAMES)
def test_killed_while_it_asks(tmp_path: Path, point: str) -> None:
    """A server that dies between what Telegram has said and what is stored, or just after: each update comes once.

    They come in the order in which they happened, and the next server asks at once.
    """
    town, chat = Town(tmp_path), Chat(40)
    with standing_in(chat.answer) as address:
        with serving(tmp_path, durable=True) as served:
            served.connect("telegram", {"BotToken": TOKEN, "base_url": address})
        for passage in (1, 2, 3, 1):
            with town.server(AK_CRASH_AT=f"{point}:{passage}") as (process, _):
                assert process.wait(SOON_S) == -signal.SIGKILL
        with town.server():
            chat.wait_until_confirmed()
    with town.ended() as served:
        assert [event.data["update_id"] for event in served.events()] == list(range(1, 41))
        assert [session.result["data"]["update_id"] for session in served.sessions()] == list(range(1, 41))
