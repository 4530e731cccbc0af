"""Tries a connection: whatever happens becomes a status, without a secret in it."""

from collections.abc import Mapping

from autokitteh_server.core.secret_forms import Finder
from autokitteh_server.integrations.errors import Intent, ServiceError
from autokitteh_server.integrations.forms import find_problem
from autokitteh_server.integrations.spec import Code, Http, Integration, Status


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
    return _masked(status, [variables.get(name, "") for name in spec.secret_variables])


def _masked(status: Status, secrets: list[str]) -> Status:
    """Services repeat what they were sent: "invalid token abc"."""
    finder = Finder(secret for secret in secrets if secret)
    return Status(
        code=status.code,
        message=finder.mask(status.message),
        remedy=finder.mask(status.remedy),
        variables=status.variables,
    )
