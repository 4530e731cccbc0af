"""How a connection gets events that are not sent to the app's address by themselves: what its service has to be told,
and what it can be asked. Functions of a connection's variables, and of what the service answers.

Each such service has a `feed.py` with one `FEED`. Where the server has an address that the service can reach, the
service is told it (`register`), anew before that expires. Where it has none, or where the service says only that there
is something new, it is asked (`poll`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from autokitteh_server.integrations.spec import Http
from autokitteh_server.integrations.webhook import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A connection, and the way to its service. Its repr has nothing secret."""

    connection_id: str
    variables: Mapping[str, str] = field(repr=False)  # with a token that is good, where it has one
    http: Http = field(repr=False)
    public_url: str  # under which services reach the server, without a slash at the end
    environ: Mapping[str, str] = field(repr=False)  # the server's: topics of Pub/Sub are there
    now: int  # microseconds since 1970
    new_secret: Callable[[], str] = field(repr=False)  # an unguessable text of lower-case letters and digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a service has been told."""

    variables: Mapping[str, str] = field(repr=False)  # to be kept; those that are "" go away. Of `keeps` only
    #: what is not there yet is kept: events between a poll and this would be lost.
    renew_at: int | None = None  # when it is to be told again, before it forgets; None: it does not forget


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a service has answered. Events and variables are stored in one transaction.

    If the variables that a poll gives have other values meanwhile, nothing of it is stored: somebody else was faster.
    """

    events: tuple[Found, ...] = ()  # for this connection, whatever they match
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)  # how far it has come; "": goes away
    has_more: bool = False  # it is to be asked again at once


#: What a connection has to know before its service is told, for the service may call while it still is: secrets, and
#: ids of its own. Only what is not there yet. It is stored before, and anew only if it is gone.
Prepare = Callable[[Line], Mapping[str, str]]

#: Tells a service where events are to be sent. Raises ServiceError.
Register = Callable[[Line], Registration]

#: Asks a service what is new since the variables were stored; the second argument is when it was asked last, in
#: microseconds since 1970, 0: never. The first time nothing is new: it only finds out where to begin. Raises
#: ServiceError.
Poll = Callable[[Line, int], News]

#: Why a connection with these variables gets no events; "": it does.
WhyNot = Callable[[Mapping[str, str]], str]


def _always(variables: Mapping[str, str]) -> str:
    return ""


def _nothing(line: Line) -> Mapping[str, str]:
    return {}


def missing_secrets(line: Line, *names: str) -> dict[str, str]:
    """New secrets, for those of these variables that a connection does not have."""
    return {name: line.new_secret() for name in names if not line.variables.get(name)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """How a service is told, and asked."""

    register: Register | None = None  # None: it cannot be told
    prepare: Prepare = _nothing
    poll: Poll | None = None  # None: it cannot be asked
    needs: tuple[str, ...] = ()  # variables of the server without which `register` cannot work
    keeps: tuple[str, ...] = ()  # the variables of a connection in which a poll says how far it has come
    about: tuple[str, ...] = ()  # variables of a connection with whose values `keeps` loses its meaning: "CalendarID"
    needs_https: bool = True  # it is told of public addresses only; one in the same house can be told of others
    poll_every_s: float = 60.0  # while nothing is registered; 0: again at once, for polls that wait for news themselves
    poll_anyway_s: float | None = None  # while something is registered: what was not pushed; None: it need not be
    why_not: WhyNot = _always
