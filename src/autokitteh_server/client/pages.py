"""Lists that are longer than a page."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from msgspec.structs import replace

from autokitteh_server.core.api_types.values import MAX_PAGE, Page, PageQuery

T = TypeVar("T")
Q = TypeVar("Q", bound=PageQuery)


def read_pages(load: Callable[[Q], Page[T]], query: Q, limit: int) -> Iterator[T]:
    """At most so many items, of as many pages as they take."""
    left, cursor = limit, ""
    while left > 0:
        page = load(replace(query, limit=min(left, MAX_PAGE), cursor=cursor))
        yield from page.items
        left -= len(page.items)
        if page.next is None:
            return
        cursor = page.next
