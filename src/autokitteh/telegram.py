"""Telegram: a client library for bots, with the token of a connection."""

from typing import TYPE_CHECKING, Any

from autokitteh.connections import check_connection_name, missing_package, read_variable, require_variable

if TYPE_CHECKING:
    from telegram import Bot

READS = ("BotToken", "base_url")


def telegram_client(connection: str) -> "Bot":
    """A client for Telegram, `telegram.Bot`, for a connection of the project. Its methods are async.

    The token does not expire, so the client can be made at module level. The connection's variable `base_url`, if it
    has one, is where the API is: a proxy, or a stand-in for tests.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no token, ImportError if
    `python-telegram-bot` is not installed.
    """
    check_connection_name(connection)
    try:
        from telegram import Bot
    except ImportError as error:
        raise missing_package("telegram_client", "python-telegram-bot ~= 22.0") from error

    token = require_variable(connection, "BotToken")
    addresses: dict[str, Any] = {}
    if base_url := read_variable(connection, "base_url").rstrip("/"):
        addresses = {"base_url": f"{base_url}/bot", "base_file_url": f"{base_url}/file/bot"}
    return Bot(token, **addresses)
