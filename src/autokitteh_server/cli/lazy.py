"""Commands that are imported when they are used: `ak --help` must not wait for a database library."""

import importlib
from dataclasses import dataclass
from typing import Any

import click

from autokitteh_server.core.names import did_you_mean


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a command is, and what the list of commands says about it."""

    where: str  # "module:attribute"
    help: str


class LazyGroup(click.Group):
    """A group whose commands are in a table."""

    def __init__(self, *args: Any, lazy: dict[str, Lazy], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        lazy = self.lazy.get(cmd_name)
        if lazy is None:
            return None
        module, _, attribute = lazy.where.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.lazy and not args[0].startswith("-"):
            near = did_you_mean(args[0], self.lazy)
            hint = f"Did you mean {near}?" if near else f"There are: {', '.join(self.lazy)}."
            ctx.fail(f"There is no command {args[0]!r}. {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.help) for name, lazy in self.lazy.items()])
