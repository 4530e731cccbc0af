"""Tables for people: aligned columns below a line of titles, and fields below one another."""

from collections.abc import Mapping, Sequence

from autokitteh_server.cli.terminal import style, visible


def render_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A line for each row, below a line of titles; nothing at all without rows."""
    if not rows:
        return []
    cells = [[visible(" ".join(cell.splitlines())) for cell in row] for row in (titles, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(titles))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return [style(lines[0], bold=True), *lines[1:]]


def render_fields(fields: Mapping[str, str]) -> list[str]:
    """A line for each field that has a value."""
    width = max((len(name) for name in fields), default=0)
    return [f"{style(name.ljust(width), bold=True)}  {visible(value)}" for name, value in fields.items() if value]
