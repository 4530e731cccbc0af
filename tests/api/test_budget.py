"""What bodies may take of the memory together: nobody takes more, and all of it is given back, however they end."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle as Many
from hypothesis.stateful import RuleBasedStateMachine, consumes, invariant, rule
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from autokitteh_server.api.doors import RefusedAtDoor, read_body
from autokitteh_server.api.service_doors import SMALL_BYTES as SMALL
from autokitteh_server.api.service_doors import Budget

MOST = 1000


class Taker:
    """One that holds a part."""

    def __init__(self, budget: Budget) -> None:
        self.held = 0
        self._stack = ExitStack()
        self._hold = self._stack.enter_context(budget.holding())
        self._free = SMALL

    def take(self, size: int) -> bool:
        """Whether there was so much left."""
        try:
            self._hold(size)
        except RefusedAtDoor as refused:
            assert refused.response.status_code == 503
            return False
        self.held += max(0, size - self._free)
        self._free = max(0, self._free - size)
        return True

    def would_count(self, size: int) -> int:
        """What of a piece is more than is small."""
        return max(0, size - self._free)

    def end(self, error: BaseException | None) -> None:
        """Come to an end, also to a bad one, which is nobody else's."""
        try:
            with self._stack:
                if error is not None:
                    raise error
        except BaseException as caught:
            assert caught is error
        self.held = 0


class BudgetMachine(RuleBasedStateMachine):
    """Many that take and end, in any order."""

    takers = Many("takers")

    def __init__(self) -> None:
        super().__init__()
        self.budget = Budget(MOST)
        self.present: list[Taker] = []

    @rule(target=takers)
    def begin(self) -> Taker:
        """One more comes."""
        self.present.append(Taker(self.budget))
        return self.present[-1]

    @rule(taker=takers, size=st.integers(0, MOST + 1) | st.integers(SMALL - 1, SMALL + MOST + 1))
    def take(self, taker: Taker, size: int) -> None:
        """It gets what is left, and never more."""
        left = MOST - sum(each.held for each in self.present)
        is_there = taker.would_count(size) <= left
        assert taker.take(size) is is_there

    @rule(
        taker=consumes(takers),
        error=st.sampled_from([None, ValueError(), ClientDisconnect(), asyncio.CancelledError(), KeyboardInterrupt()]),
    )
    def end(self, taker: Taker, error: BaseException | None) -> None:
        """One is done."""
        taker.end(error)
        self.present.remove(taker)

    @invariant()
    def nothing_is_lost(self) -> None:
        """What is left and what is held is all there is."""
        assert self.budget.left + sum(each.held for each in self.present) == MOST


TestBudget = BudgetMachine.TestCase


class Failed(Exception):
    """What is done with a body has failed."""


PIECES = st.lists(st.integers(0, 400), max_size=5).map(lambda sizes: [SMALL, *sizes])
ENDS = st.sampled_from(["whole", "disconnect", "error", "cancel", "fails"])


@given(bodies=st.lists(st.tuples(PIECES, ENDS), max_size=6))
def test_bodies_give_back_what_they_took(bodies: list[tuple[list[int], str]]) -> None:
    """Of many that come in at once, whether whole, too large, too many, broken off, cancelled, or good for nothing."""
    budget = Budget(MOST)
    asyncio.run(_read_all(budget, bodies))
    assert budget.left == MOST


async def _read_all(budget: Budget, bodies: Sequence[tuple[list[int], str]]) -> None:
    tasks = [asyncio.create_task(_read(budget, pieces, end)) for pieces, end in bodies]
    await asyncio.sleep(0)
    for task, (_, end) in zip(tasks, bodies, strict=True):
        if end == "cancel":
            task.cancel()
    for found in await asyncio.gather(*tasks, return_exceptions=True):
        expected = (RefusedAtDoor, ClientDisconnect, OSError, asyncio.CancelledError, Failed)
        assert found is None or isinstance(found, expected), found


async def _read(budget: Budget, pieces: Sequence[int], end: str) -> None:
    left = list(pieces)

    async def receive() -> Message:
        await asyncio.sleep(0)  # others' turn
        assert budget.left >= 0
        if left:
            return {"type": "http.request", "body": b"x" * left.pop(0), "more_body": True}
        if end == "disconnect":
            return {"type": "http.disconnect"}
        if end == "error":
            raise OSError
        return {"type": "http.request", "body": b"", "more_body": False}

    with budget.holding() as hold:
        body = await read_body(Request({"type": "http", "method": "POST", "headers": []}, receive), SMALL + 900, hold)
        assert len(body) == sum(pieces)
        if end == "fails":
            raise Failed


@pytest.mark.parametrize("size", [MOST, MOST + 1])
def test_all_of_it(size: int) -> None:
    """All may be taken, and no more, and then all again."""
    budget = Budget(MOST)
    for _ in range(2):
        with budget.holding() as hold:
            hold(SMALL)
            if size > MOST:
                with pytest.raises(RefusedAtDoor):
                    hold(size)
            else:
                hold(size)
            with budget.holding() as another:
                another(SMALL)  # whatever others hold
    assert budget.left == MOST
