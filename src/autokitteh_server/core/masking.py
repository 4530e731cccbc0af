"""Keeps secrets out of what people read: values that are known to be secret, and what looks like credentials."""

import re
import threading

#: What stands in a secret's place.
MASK = "***"

#: Shorter secrets are not looked for: in most texts they would stand by chance, and their places would betray them.
_SHORTEST = 6

#: So many secrets are known; then the ones first told are forgotten. Each line of the log is searched for them all.
_MOST = 10_000

_CREDENTIALS = re.compile(
    r"""(?ix)
    (?P<before>
        # a header, in any spelling
        \b(?:proxy-)?authorization["']?\s*[:=,]\s*(?:b(?=["']))?["']?(?:(?:bearer|basic|token|digest)\s+)?
      | \b(?:bearer|basic)\s+(?=[\w~+/.=-]{12})
      | ://[^\s:/@]*:(?=[^\s/@]+@)  # in a URL
    )
    (?P<secret>[^\s"',@]+)
    """
)


class Masker:
    """Knows the secrets of a process. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: dict[str, None] = {}  # in the order of being told
        self._pattern: re.Pattern[str] | None = None

    def add(self, *secrets: str) -> None:
        """From now on mask these. Lines of a secret that has several are secrets, too, as a traceback shows them."""
        parts = {part.strip() for secret in secrets for part in (secret, *secret.splitlines())}
        with self._lock:
            new = [part for part in parts if len(part) >= _SHORTEST and part not in self._secrets]
            if not new:
                return
            self._secrets |= dict.fromkeys(new)
            for old in list(self._secrets)[: max(0, len(self._secrets) - _MOST)]:
                del self._secrets[old]
            self._pattern = None

    def mask(self, text: str) -> str:
        """The text without the secrets in it."""
        pattern = self._compiled()
        if pattern is not None:
            text = pattern.sub(MASK, text)
        return _CREDENTIALS.sub(lambda found: found["before"] + MASK, text)

    def _compiled(self) -> re.Pattern[str] | None:
        with self._lock:
            if self._pattern is None and self._secrets:
                # The longest first: of two secrets one of which begins with the other, no end may stay.
                ordered = sorted(self._secrets, key=len, reverse=True)
                self._pattern = re.compile("|".join(map(re.escape, ordered)))
            return self._pattern


#: The secrets of this process. One for all, since whoever writes a log cannot know what others have opened.
masker = Masker()
