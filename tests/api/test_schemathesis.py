"""Requests made at random from the API's own description: whatever comes, no answer is a 5xx."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from api.stage import HELLO, Stage, staged
from autokitteh_server.api.app import make_openapi
from autokitteh_server.core.api_types.sessions import StartSession

pytestmark = pytest.mark.slow

schema = schemathesis.openapi.from_dict(make_openapi())


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A server with something of everything in it, under names that random requests may hit."""
    with staged(Path(tmp_path_factory.mktemp("server"))) as stage:
        triggers = "    - {name: hook, type: webhook, call: 'program.py:main'}\n"
        stage.deploy(HELLO, name="a", triggers=triggers, more="  vars:\n    - {name: a, value: '1'}\n")
        stage.wait(stage.client.sessions.start(StartSession(project="a", entry="program.py:main")).id)
        yield stage


@schema.parametrize()
@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_answer_is_a_mistake_of_the_server(case: schemathesis.Case, subject: Stage) -> None:
    """Each operation, with good and bad requests; each answer is one that the description foresees."""
    if case.path.endswith("/stream"):
        case.query["follow"] = "false"  # or it would wait for a session's end
    headers = {"authorization": f"Bearer {subject.token}"}

    response = case.call(base_url=subject.url, headers=headers, timeout=30)

    assert response.status_code < 500, response.text
    case.validate_response(
        response,
        excluded_checks=[
            schemathesis.checks.CHECKS.get_one("positive_data_acceptance"),  # a name may be that of nothing
            schemathesis.checks.CHECKS.get_one("negative_data_rejection"),  # it takes some good queries for bad ones
            schemathesis.checks.CHECKS.get_one("ignored_auth"),  # test_access.py asks each route without a token
            schemathesis.checks.CHECKS.get_one("unsupported_method"),  # TRACE and the like, which uvicorn answers
        ],
    )
