"""`ak version`."""

import platform
from importlib import metadata

import click


@click.command()
def version() -> None:
    """Show the version."""
    click.echo(f"autokitteh {metadata.version('autokitteh')} (Python {platform.python_version()})")
