"""Numbers of bytes, as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_server.core.sizes import parse_size, short_size, size_text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1024", 1024), ("0", 0), ("512 MiB", 2**29), ("512mib", 2**29), ("1.5GB", 1_500_000_000), ("2 g", 2 * 10**9),
        (" 3 kB ", 3000), ("1 GiB", 2**30), ("7 bytes", 7), ("7b", 7),
    ],
)  # fmt: skip
def test_sizes_are_read(text: str, size: int) -> None:
    """With units of either kind, spaces and case as one likes."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1e9", "1 TiB x", "1,5 GB", "nan", "²", "1 2", "0x10"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """With an example."""
    with pytest.raises(ValueError, match="512 MiB"):
        parse_size(text)


@given(st.integers(0, 10**15 - 1))
def test_a_size_is_read_as_it_is_written(size: int) -> None:
    """Whatever the unit in which it is shown."""
    assert parse_size(size_text(size)) == size


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (54_321_000, "54 MB"), (2 * 10**9, "2.0 GB")],
)
def test_sizes_are_shown_short(size: int, text: str) -> None:
    """Two or three digits are enough for a table."""
    assert short_size(size) == text
