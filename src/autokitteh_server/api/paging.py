"""Cursors: where a page of a list ended, for whoever asks for the next one."""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import TypeVar

from autokitteh_server.core.api_types.values import Page, PageQuery
from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.names import is_plain_text

T = TypeVar("T")
S = TypeVar("S")


def make_page(
    query: PageQuery, load: Callable[[int, str | None], Sequence[T]], place: Callable[[T], str], show: Callable[[T], S]
) -> Page[S]:
    """The page that a query asks for.

    `load` gives so many items after a place; `place` is where an item stands, `show` what is sent of it. Raises
    InvalidArgument for a cursor that is none.
    """
    found = load(query.limit + 1, _read(query.cursor) if query.cursor else None)
    items = found[: query.limit]
    return Page(
        items=[show(item) for item in items], next=_write(place(items[-1])) if len(found) > len(items) else None
    )


def cut_page(query: PageQuery, items: Iterable[T], place: Callable[[T], str], show: Callable[[T], S]) -> Page[S]:
    """The page that a query asks for of items that are all there, in the order of their places."""

    def load(limit: int, after: str | None) -> list[T]:
        return list(islice((item for item in items if after is None or place(item) > after), limit))

    return make_page(query, load, place, show)


def _write(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _read(cursor: str) -> str:
    try:
        place = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        place = "\0"
    if not is_plain_text(place):
        raise InvalidArgument("cursor: this is none", "Give `next` of the page before, as it was.")
    return place
