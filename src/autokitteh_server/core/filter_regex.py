"""How large an automaton a regular expression of RE2 becomes: its time is that times the length of the text."""

import re

_TOKEN = re.compile(
    r"""(?P<open>\((?:\?P?<\w*>|\?[a-zA-Z-]*:?)?) | (?P<close>\)) | (?P<or>\|)
    | (?P<repeat>\{(?P<least>\d+)(?P<range>,(?P<most>\d*))?\}) | (?P<quantifier>[*+?])
    | (?P<class>\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]) | (?P<property>\\[pP](?:\{\^?\w*\}|.)?)
    | (?P<quoted>\\Q.*?(?:\\E|$)) | (?P<any>\.|\\[CDSW]) | (?P<one>\\.|.)""",
    re.VERBOSE | re.DOTALL,
)
_PROPERTY = 500.0  # \pL: hundreds of ranges, spelled as UTF-8
_ANY = 12.0  # one character of any length in UTF-8


def regex_states(pattern: str) -> float:
    """States of a pattern at most, with repeats `{n,m}` written out. Any text is taken as a pattern."""
    groups: list[list[float]] = [[]]  # of every open group: the sizes of what is in it
    for token in _TOKEN.finditer(pattern):
        kind = token.lastgroup if token.lastgroup not in ("least", "range", "most") else "repeat"
        parts = groups[-1]
        if kind == "open":
            groups.append([])
        elif kind == "close" and len(groups) > 1:
            groups.pop()
            groups[-1].append(1 + sum(parts))
        elif token["repeat"] and parts:
            parts[-1] = 1 + parts[-1] * max(1, _times(token))
        elif kind == "quantifier" and parts:
            parts[-1] += 1
        else:
            parts.append(_size(token))
    return 1 + min(sum(map(sum, groups)), 1e18)


def _times(token: re.Match[str]) -> int:
    least, most = int(token["least"][:6]), int((token["most"] or "0")[:6])
    return max(least + 1, most)


def _size(token: re.Match[str]) -> float:
    text = token[0]
    if properties := len(re.findall(r"\\[pP]", text)):
        return _PROPERTY * properties
    if token["class"]:
        is_plain = text.isascii() and not re.match(r"\[\^|.*(?:\\[DWSx]|\[:\^)", text, re.DOTALL)
        return len(text) / 2 if is_plain else _ANY + len(text)
    return _ANY if token["any"] else float(len(text) * (1 if text.isascii() else 4))
