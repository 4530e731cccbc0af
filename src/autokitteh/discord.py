"""Discord: a client library for bots, with the token of a connection."""

from typing import TYPE_CHECKING, Any

from autokitteh.connections import check_connection_name, missing_package, read_variable, require_variable

if TYPE_CHECKING:
    from discord import Client, Intents

READS = ("BotToken", "base_url")


def discord_client(connection: str, intents: "Intents | None" = None, **kwargs: Any) -> "Client":
    """A client of Discord's, `discord.Client`, for a connection of the project. Run it in an activity.

        client = discord_client("discord_conn")

        @autokitteh.activity
        def work():
            client.run(bot_token("discord_conn"))

    - `intents`: which events it is told of; None: `Intents.default()`.
    - `kwargs`: arguments for `Client`.

    The connection's variable `base_url`, if it has one, is where the API is, its version included, for all clients of
    the process: a proxy, or a stand-in for tests. The token does not expire, and it is not in the client.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no token, ImportError if
    `discord.py` is not installed.
    """
    check_connection_name(connection)
    try:
        import discord
        from discord.http import Route
    except ImportError as error:
        raise missing_package("discord_client", "discord.py ~= 2.5") from error

    require_variable(connection, "BotToken")
    if base_url := read_variable(connection, "base_url"):
        Route.BASE = base_url.rstrip("/")  # the library has no other place for it
    return discord.Client(intents=discord.Intents.default() if intents is None else intents, **kwargs)


def bot_token(connection: str) -> str:
    """The token of a connection's bot, for `Client.run`.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no token.
    """
    return require_variable(check_connection_name(connection), "BotToken")
