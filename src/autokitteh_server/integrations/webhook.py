"""What services send by themselves, as functions of data to data: a request, and secrets; events, and a reply.

Each service that calls has a `webhook.py` with one `WEBHOOK`. `receive` is how they are all used: who it is from is
found out first, over the bytes as they came in, and only then is anything read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from autokitteh_server.integrations.matching import Match, with_id
from autokitteh_server.integrations.signatures import BadSignature

#: The most that is read of what nobody has signed: JSON may be twenty times as large once it is read.
MAX_UNSIGNED_BYTES: Final = 1 << 18


class Refused(Exception):
    """A request is none that we take. The text says why, and nothing secret; the service hears the status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request of a service, as it came in. Its repr has nothing of it that could be secret."""

    method: str
    url: str = field(repr=False)  # as the service called it: scheme, host and query, too. Some sign it
    path: str = field(repr=False)  # what follows the integration's name: "event", "webhook/4f2a"
    headers: Mapping[str, str] = field(repr=False)  # names in lower case
    body: bytes = field(repr=False)
    received_at: int  # microseconds since 1970
    is_url_known: bool = True  # False: its scheme and host are as the caller says

    def header(self, name: str) -> str:
        """A header's value; "" if it is not there."""
        return self.headers.get(name, "")

    def require(self, name: str, status: int) -> str:
        """A header's value. Raises Refused with this status if it is not there."""
        if not (value := self.header(name)):
            raise Refused(status, f"the header {name} is missing")
        return value

    def is_of(self, *content_types: str) -> bool:
        """Whether the body is of one of these types, whatever its parameters say."""
        return self.header("content-type").strip().lower().startswith(content_types)


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """Something that a request may be signed with."""

    value: str = field(repr=False)
    name: str  # of the variable that it is from
    owner: str = ""  # the connection's id; "": the server's own, from its environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An event in a request, or in what a service was asked for."""

    event_type: str
    data: Any  # a JSON value
    key: str  # equal for repeats: the service's own id of the delivery, or made of what does not change
    match: tuple[Match, ...]  # connections for which one of these holds get it
    not_from: Match | None = None  # except those that have caused it themselves


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The service says only that there is something new: the connections that match have to ask for it."""

    match: tuple[Match, ...]
    must_tell: bool = False  # what the service was told is gone, or about to go: it is to be told anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the service wants to hear, at once."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


OK: Final = Reply()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What the service, or whoever has done something there, is to see besides: JSON for an address of the service."""

    url: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What is in a request."""

    events: tuple[Found, ...] = ()
    looks: tuple[Look, ...] = ()
    messages: tuple[Message, ...] = ()
    reply: Reply = OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What a service sends before there is a secret: the one with which it is going to sign, or only a question.

    Anybody can send it. So nothing comes of it but what is here, and only for a connection that is there.
    """

    reply: Reply
    match: Match  # the connections that it is for
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)  # what they keep, all secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What came of a request. Everything in it is to be stored before the reply is sent."""

    reply: Reply
    events: tuple[Found, ...] = ()
    looks: tuple[Look, ...] = ()
    messages: tuple[Message, ...] = ()  # to be sent after the reply; nothing is lost if they are not
    greeting: Greeting | None = None
    proof: tuple[Secret, ...] = ()  # the secrets that fit


def _no_greeting(request: Request) -> Greeting | None:
    return None


def _no_handshake(request: Request, proof: Sequence[Secret]) -> Reply | None:
    return None


def _anyone(request: Request) -> Match | None:
    return None


#: Which of the secrets a request is signed with. Raises Refused; never anything else, whatever comes in.
Verify = Callable[[Request, Sequence[Secret], float], tuple[Secret, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """How a service calls.

    Names of variables may have parts of the path in them: with the path `webhook/{category}`, `Secret_{category}`.
    """

    paths: tuple[str, ...]  # after the integration's name; `{part}` is any one part
    verify: Verify
    parse: Callable[[Request], Parsed]  # raises Refused, and nothing else
    secret_variables: tuple[str, ...] = ()  # of connections, in which their own secrets are
    server_secrets: tuple[str, ...] = ()  # variables of the server, for its default app
    keys_url: str = ""  # where public keys are, which are given as secrets named by their ids
    whose: Callable[[Request], Match | None] = _anyone  # connections whose secrets may fit; None: all of them
    answer_handshake: Callable[[Request, Sequence[Secret]], Reply | None] = _no_handshake  # of one that was verified
    greet: Callable[[Request], Greeting | None] = _no_greeting  # for what comes first, and unsigned. Raises Refused
    is_deaf: bool = False  # takes, and drops, what is for a connection that is not there
    may_be_unsigned: bool = False  # for connections without a secret
    also_for: tuple[str, ...] = ()  # other integrations whose connections get its events

    def template_of(self, path: str) -> str | None:
        """Which of its paths this is, without what only those may know who call; None if it is none."""
        return next((each for each in self.paths if path_values(each, path) is not None), None)

    def variables_for(self, request: Request) -> tuple[str, ...]:
        """The variables of connections in which secrets for this request are."""
        names = self.names_in(request.path)
        return tuple(name.format(**names) for name in self.secret_variables)

    def has_secret(self, variables: Mapping[str, str]) -> bool:
        """Whether a connection with these variables has a secret of its own, be it for another path."""
        patterns = [name.partition("{") for name in self.secret_variables]
        named = (
            name
            for stem, brace, _ in patterns
            for name in variables
            if (name.startswith(stem) if brace else name == stem)
        )
        return any(variables.get(name) for name in named)

    def names_in(self, path: str) -> Mapping[str, str]:
        """The parts of a path that are names."""
        found = (path_values(each, path) for each in self.paths)
        return next((each for each in found if each is not None), {})


def receive(webhook: Webhook, request: Request, secrets: Sequence[Secret], now_s: float) -> Received:
    """What is in a request, once it is known whom it is from. Raises Refused, and nothing else."""
    if greeting := webhook.greet(request):
        # Whoever comes second is not believed: it would replace the secret of the one that came first.
        if greeting.variables and any(secret.owner for secret in secrets):
            raise Refused(403, "there is a secret already")
        return Received(reply=greeting.reply, greeting=greeting)
    # An address with a name in it is a connection's own: what the server has for all others is not good for it.
    counting = [secret for secret in secrets if secret.owner or not webhook.names_in(request.path)]
    if webhook.is_deaf and not counting:
        return Received(reply=OK)
    proof = webhook.verify(request, counting, now_s)
    if not proof and len(request.body) > MAX_UNSIGNED_BYTES:
        raise Refused(413, f"it is unsigned, and larger than {MAX_UNSIGNED_BYTES:,} bytes")
    if reply := webhook.answer_handshake(request, proof):
        return Received(reply=reply, proof=proof)
    parsed = webhook.parse(request)
    return Received(reply=parsed.reply, events=parsed.events, looks=parsed.looks, messages=parsed.messages, proof=proof)


def recipients(
    webhook: Webhook,
    request: Request,
    found: Found | Look,
    proof: Sequence[Secret],
    connections: Mapping[str, Mapping[str, str]],
) -> tuple[str, ...]:
    """The ids of the connections that get something. `connections`: variables by id, of those of the integration.

    A connection that has a secret of its own believes in nothing else: otherwise anybody with a connection could send
    events to everybody else's. One without believes in the server's.
    """
    return tuple(
        owner
        for owner, variables in connections.items()
        if is_for(found, with_id(variables, owner)) and _trusts(webhook, request, variables, owner, proof)
    )


def is_for(found: Found | Look, variables: Mapping[str, str]) -> bool:
    """Whether a connection with these variables, its id among them, gets something, if it may be believed."""
    if isinstance(found, Found) and found.not_from is not None and found.not_from.holds(variables):
        return False
    return any(each.holds(variables) for each in found.match)


def _trusts(
    webhook: Webhook, request: Request, variables: Mapping[str, str], owner: str, proof: Sequence[Secret]
) -> bool:
    if any(variables.get(name) for name in webhook.variables_for(request)):
        return any(secret.owner == owner for secret in proof)
    if webhook.may_be_unsigned:
        # Who calls chooses the path, and could choose one for which there is no secret.
        return not webhook.has_secret(variables)
    return any(not secret.owner for secret in proof)


def fitting(secrets: Sequence[Secret], check: Callable[[str], object], status: int) -> tuple[Secret, ...]:
    """The secrets with which a check does not raise BadSignature. Raises Refused with this status if none is."""
    found = []
    reason = "there is no secret to check it with"
    for secret in secrets:
        try:
            check(secret.value)
        except BadSignature as error:
            reason = str(error)
        except RecursionError:  # a token whose JSON is a tower of brackets
            reason = "a token that is none"
        else:
            found.append(secret)
    if not found:
        raise Refused(status, reason)
    return tuple(found)


def path_values(template: str, path: str) -> dict[str, str] | None:
    """The parts of a path for which a template has names; None if the path is another one."""
    names, parts = template.split("/"), path.split("/")
    if len(names) != len(parts):
        return None
    values = {}
    for name, part in zip(names, parts, strict=True):
        if name.startswith("{") and part:
            values[name[1:-1]] = part
        elif name != part:
            return None
    return values
