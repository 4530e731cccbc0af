"""Forms: which way to authenticate, what it asks for, and what is kept of the answers."""

import re
from collections.abc import Collection, Mapping

from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.names import did_you_mean
from autokitteh_server.integrations.spec import TOKENS, AuthType, Code, Field, Integration, Status

AUTH_TYPE = "auth_type"

_BASE_URL = Field(
    name="base_url",
    title="API URL",
    is_optional=True,
    help="where the service's API is instead: a proxy, or a stand-in for tests",
    pattern=r"https?://\S+",
)


def fields_of(spec: Integration, auth: AuthType) -> tuple[Field, ...]:
    """What a form has: the fields of the way to authenticate, and where the service is."""
    if not spec.api or any(each.name == _BASE_URL.name for each in auth.fields):
        return auth.fields
    return (*auth.fields, _BASE_URL)


def choose_auth(spec: Integration, name: str, given: Collection[str]) -> AuthType:
    """The way to authenticate of this name; with "" the one that the given fields are for.

    Raises InvalidArgument if there is none, or more than one.
    """
    names = [each.name for each in spec.auth]
    if name:
        found = spec.auth_type(name)
        if found is None:
            near = did_you_mean(name, names)
            remedy = f"Did you mean {near}?" if near else f"Use one of: {', '.join(names)}."
            raise InvalidArgument(f"{spec.name} has no auth type {name[:100]!r}", remedy)
        return found
    fitting = [each for each in spec.auth if _fits(spec, each, given)] if given else list(spec.auth)
    if len(fitting) == 1:
        return fitting[0]
    if given and not fitting and len(spec.auth) == 1:
        return spec.auth[0]  # whose fields are then found to be unknown, or missing
    raise InvalidArgument(f"{spec.name} has several auth types", f"Choose one: {', '.join(names)}.")


def read_form(spec: Integration, auth: AuthType, values: Mapping[str, str], present: Collection[str]) -> dict[str, str]:
    """The variables that a filled-in form gives. Of those that are `present`, the form may leave fields out.

    Raises InvalidArgument, which names the field and never the value.
    """
    fields = {each.name: each for each in fields_of(spec, auth)}
    for name in values:
        if name not in fields:
            near = did_you_mean(name, list(fields))
            known = f"It has: {', '.join(fields)}." if fields else "It has none."
            raise InvalidArgument(
                f"{spec.name} has no field {name[:100]!r} for {auth.name}", f"Did you mean {near}?" if near else known
            )
    kept: dict[str, str] = {AUTH_TYPE: auth.name}
    for each in fields.values():
        value = _read(each, values.get(each.name, ""))
        if value:
            kept |= dict.fromkeys((each.kept_in, *each.also), value)
        elif not each.is_optional and each.kept_in not in present:
            raise InvalidArgument(f"{each.name} is missing: {each.title}", _remedy(each))
    return kept


def auth_in_use(spec: Integration, variables: Mapping[str, str]) -> AuthType | None:
    """By which way a connection authenticates: as it says, or else the first one that has all it needs."""
    named = variables.get(AUTH_TYPE, "")
    if named:
        return spec.auth_type(named)
    return next((each for each in spec.auth if not find_missing(each, variables)), None)


def find_missing(auth: AuthType, variables: Mapping[str, str]) -> list[str]:
    """What a connection lacks for this way to authenticate, by the fields' names."""
    missing = [each.name for each in auth.fields if not each.is_optional and not variables.get(each.kept_in)]
    if auth.oauth is not None and auth.oauth.authorize_url and not any(variables.get(name) for name in _AGREED):
        missing.append("somebody's consent, in a browser")
    return missing


def find_problem(spec: Integration, variables: Mapping[str, str]) -> Status | None:
    """What can be said against a connection without asking anybody."""
    remedy = "Run `ak connection init`."
    auth = auth_in_use(spec, variables)
    if auth is None and variables.get(AUTH_TYPE):
        names = ", ".join(each.name for each in spec.auth)
        message = f"its variable auth_type is none of those that {spec.title} has: {names}"
        return Status(code=Code.ERROR, message=message, remedy=remedy)
    if auth is None:
        return Status(code=Code.INIT_REQUIRED, message="it has no credentials yet", remedy=remedy)
    missing = find_missing(auth, variables)
    if missing:
        message = f"it lacks {', '.join(missing)} ({auth.title})"
        return Status(code=Code.INIT_REQUIRED, message=message, remedy=remedy)
    return None


def variables_of(spec: Integration) -> frozenset[str]:
    """All that connections of this integration may have: fields, what OAuth gives, what is learnt."""
    forms = [each for auth in spec.auth for each in fields_of(spec, auth)]
    fields = (name for each in forms for name in (each.kept_in, *each.also))
    tokens = TOKENS if any(auth.oauth for auth in spec.auth) else ()
    return frozenset((AUTH_TYPE, *fields, *tokens, *spec.learns))


#: One of these is there once somebody has agreed: a token, or the installation of a GitHub App.
_AGREED = ("oauth_access_token", "oauth_AccessToken", "install_id")


def _fits(spec: Integration, auth: AuthType, given: Collection[str]) -> bool:
    fields = fields_of(spec, auth)
    needed = {each.name for each in fields if not each.is_optional}
    return needed <= set(given) <= {each.name for each in fields}


def _read(field: Field, text: str) -> str:
    try:
        value = field.clean(text) if text.strip() else ""
    except ValueError as error:
        raise InvalidArgument(f"{field.name} {error}", _remedy(field)) from None
    if "\0" in value:
        raise InvalidArgument(f"{field.name} has a zero character in it", _remedy(field))
    if "\n" in value and not field.is_multiline:
        raise InvalidArgument(f"{field.name} has more than one line", _remedy(field))
    if value and field.pattern and not re.fullmatch(field.pattern, value):
        raise InvalidArgument(f"{field.name} does not look like a value for {field.title}", _remedy(field))
    return value


def _remedy(field: Field) -> str:
    return f"{field.title}: {field.help}." if field.help else f"Give it with --set {field.name}=VALUE."
