"""All webhooks: who has one, and that what they are made of is there."""

import pytest

from autokitteh_server.core.manifest_schema import INTEGRATIONS
from autokitteh_server.integrations.incoming import load_webhook
from autokitteh_server.integrations.registry import load_integration
from autokitteh_server.integrations.samples import sample_types

NAMES = sorted(name for name in INTEGRATIONS if load_webhook(name))


def test_who_has_one() -> None:
    """All services that call; no others."""
    assert NAMES == [
        "asana", "confluence", "github", "gmail", "googlecalendar", "googledrive", "googleforms", "hubspot", "jira",
        "linear", "microsoft_teams", "notion", "slack", "telegram", "twilio", "youtube", "zoom",
    ]  # fmt: skip
    assert load_webhook("aws") is load_webhook("nobody") is load_webhook("..slack") is None


@pytest.mark.parametrize("name", NAMES)
def test_addresses_are_different(name: str) -> None:
    """Each path is at itself, and nowhere else."""
    webhook = load_webhook(name)
    assert webhook is not None
    for path in webhook.paths:
        assert webhook.template_of(path)
        assert webhook.template_of(path + "/more/than/that") is None
    assert webhook.template_of("") is None


@pytest.mark.parametrize("name", NAMES)
def test_somebody_has_the_secret(name: str) -> None:
    """Every webhook is verified with something."""
    webhook = load_webhook(name)
    assert webhook is not None
    assert webhook.secret_variables or webhook.server_secrets
    assert all(each in INTEGRATIONS for each in webhook.also_for)


@pytest.mark.parametrize("name", sorted(INTEGRATIONS))
def test_whoever_has_samples_has_them_for_all_its_types(name: str) -> None:
    """A type that is named in the spec can be tried."""
    if there := sample_types(name):
        assert {each.name for each in load_integration(name).events} <= set(there)
