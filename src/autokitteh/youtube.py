"""YouTube: Google's official client for it, which `autokitteh.google` has, too."""

from autokitteh.google import READS, youtube_client

__all__ = ["READS", "youtube_client"]
