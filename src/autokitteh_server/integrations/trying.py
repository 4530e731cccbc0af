"""Tries a connection: whatever happens becomes a status, without a secret in it."""

import re
from collections.abc import Mapping

from autokitteh_server.core.secret_forms import MASK, Finder
from autokitteh_server.integrations.errors import Intent, ServiceError
from autokitteh_server.integrations.forms import find_problem
from autokitteh_server.integrations.spec import Code, Http, Integration, Status

_SHORTEST_PART = 8
_MAX_MESSAGE = 600
_MAX_VALUE = 50_000

#: Control characters, which a terminal would obey, and halves of characters, which no database takes.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def try_connection(spec: Integration, variables: Mapping[str, str], http: Http) -> Status:
    """Make the integration's one live call, unless something is missing. Raises nothing that is the service's fault."""
    problem = find_problem(spec, variables)
    if problem is not None:
        return problem
    if spec.check is None:
        return Status(code=Code.WARNING, message=f"cannot be tried: {spec.unchecked}")
    try:
        status = spec.check(variables, http)
    except ServiceError as error:
        code = Code.WARNING if error.intent is Intent.RETRY else Code.ERROR
        status = Status(code=code, message=f"{spec.title} {error.message}", remedy=error.remedy)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        # An answer of a shape that the check did not foresee. What it is about may be in the error's text, so its
        # kind has to do.
        message = f"{spec.title} answered something that is not understood ({type(error).__name__})"
        status = Status(code=Code.ERROR, message=message)
    return _masked(status, [variables[name] for name in spec.secret_variables if variables.get(name)])


def _masked(status: Status, secrets: list[str]) -> Status:
    """Services repeat what they were sent, perhaps cut: "invalid token abc..."."""
    finder = Finder(secrets)

    def mask(text: str) -> str:
        text = _plain(text, _MAX_MESSAGE)
        # Whom one is connected as may be in a secret: the key of a service account has its name in it.
        return finder.mask(text) if status.code is Code.OK else _without_parts(finder.mask(text), secrets)

    variables = {name: _plain(value, _MAX_VALUE) for name, value in status.variables.items()}
    return Status(code=status.code, message=mask(status.message), remedy=mask(status.remedy), variables=variables)


def _plain(text: str, most: int) -> str:
    """What can be kept and shown of a service's text: without control characters, and no longer than that."""
    return _UNFIT.sub(" ", text[:most])


def _without_parts(text: str, secrets: list[str]) -> str:
    """A text in which no run of so many letters stands in a secret, too."""
    kept, place = [], 0
    while place < len(text):
        length = max((_common(text, place, secret) for secret in secrets), default=0)
        kept.append(MASK if length else text[place])
        place += length or 1
    return "".join(kept)


def _common(text: str, place: int, hidden: str) -> int:
    """How long a run from a place on stands in a hidden text; 0 if it is too short to tell.

    The time it takes tells nobody anything: the text comes from the service, which knows what it was sent.
    """
    length = _SHORTEST_PART
    if place + length > len(text) or text[place : place + length] not in hidden:
        return 0
    while place + length < len(text) and text[place : place + length + 1] in hidden:
        length += 1
    return length
