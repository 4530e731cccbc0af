"""Keeps secrets out of what people read: values that are known to be secret, and what looks like credentials."""

import re
import threading

from autokitteh_server.core.secret_forms import MASK, SHORTEST, Finder

#: So many secrets are known; then the half that was told first is forgotten.
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
        self._finder = Finder()

    def add(self, *secrets: str) -> None:
        """From now on mask these, in all their forms. Lines of a secret that has several are secrets, too."""
        with self._lock:
            for secret in secrets:
                if len(secret) >= SHORTEST and secret not in self._secrets:
                    self._secrets[secret] = None
                    self._finder.add(secret)
            if len(self._secrets) > _MOST:
                # Half of them at once, for what is known of their forms is made anew.
                self._secrets = dict.fromkeys(list(self._secrets)[-_MOST // 2 :])
                self._finder = Finder(self._secrets)

    def mask(self, text: str) -> str:
        """The text without the secrets in it."""
        with self._lock:
            text = self._finder.mask(text)
        return _CREDENTIALS.sub(lambda found: found["before"] + MASK, text)


#: The secrets of this process. One for all, since whoever writes a log cannot know what others have opened.
masker = Masker()
