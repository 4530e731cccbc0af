"""Spellings that people bring along from elsewhere, and that the platform's documentation uses itself."""

import re

# Texts are passed over: in three quotes or one, and raw ones, in which a backslash is nothing special.
_TEXT_OR_WORD = re.compile(
    r"""
    (?P<text> [rR][bB]?(?:\"\"\".*?\"\"\" | '''.*?''' | "[^"]*" | '[^']*')
      | \"\"\"(?:\\.|.)*?\"\"\" | '''(?:\\.|.)*?''' | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*'
      | //[^\n]* )
    | (?P<word> (?<=\.)(?:startswith|endswith)\b )
    | (?P<end> ;\s*\Z )
    """,
    re.DOTALL | re.VERBOSE,
)

_WORDS = {"startswith": "startsWith", "endswith": "endsWith"}


def as_cel(text: str) -> str:
    """A filter as CEL has it: `endswith` is Python's word for `endsWith`, and a `;` at the end means nothing.

    Every character keeps its place, so that what is said about the result is true of the text.
    """
    return _TEXT_OR_WORD.sub(_respell, text)


def _respell(match: re.Match[str]) -> str:
    if match["text"] is not None:
        return match["text"]
    return _WORDS[match["word"]] if match["word"] is not None else " " + match["end"][1:]
