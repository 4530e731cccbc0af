"""Projects on this machine, read to be sent to a server that may be elsewhere. Light: the command line imports it."""

from autokitteh_server.builds.gather import gather_source
from autokitteh_server.builds.source import Source

__all__ = ["Source", "gather_source"]
