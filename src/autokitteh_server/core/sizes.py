"""Numbers of bytes, as people write them."""

import re
from typing import Final

_UNITS: Final = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
_SIZE: Final = re.compile(r"(?P<number>\d{1,15}(\.\d{1,6})?)\s*(?P<unit>[kmg]i?)?(b|bytes)?", re.IGNORECASE | re.ASCII)


def parse_size(text: str) -> int:
    """ "512 MiB", "1.5GB", "1024": a number of bytes. Raises ValueError."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError("it must be a size such as 512 MiB or 2 GB")
    return round(float(found["number"]) * _UNITS[(found["unit"] or "").lower()])


def size_text(number: float) -> str:
    """A number of bytes in the largest unit in which it is a short number: 1073741824 is "1024 MiB"."""
    whole = int(number)
    for unit in ("mi", "ki"):
        if whole and whole % _UNITS[unit] == 0:
            return f"{whole // _UNITS[unit]} {unit.capitalize()}B"
    return f"{whole} bytes" if whole else "0"


def short_size(number: int) -> str:
    """A number of bytes, rounded: "54 MB"."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= factor:
            return f"{number / factor:.1f} {unit}" if number < 10 * factor else f"{number // factor} {unit}"
    return f"{number} bytes"
