"""What a running server tells Prometheus about itself, over HTTP."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from api.stage import Stage
from autokitteh_server.core.api_types.sessions import StartSession

ENDED = "autokitteh_sessions_ended_total state=COMPLETED"
ANSWERED = "autokitteh_webhook_seconds_count status=202"


def scrape(stage: Stage) -> dict[str, float]:
    """All samples by name and labels; without a token."""
    answer = httpx.get(f"{stage.url}/metrics", trust_env=False)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return {
        sample.name + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for sample in samples
    }


def test_a_session_and_its_requests_are_counted(stage: Stage) -> None:
    """Once it is over, it shows in the counts of sessions, turns, commits, and requests by route."""
    before = scrape(stage)
    deployed = stage.deploy()
    session = stage.client.sessions.start(StartSession(project=deployed.project.name, entry="program.py:main"))
    stage.wait(session.id)
    after = scrape(stage)
    while after[ENDED] == before[ENDED]:  # it is counted just after everybody has been told of it
        after = scrape(stage)

    for name, more in (
        ("autokitteh_sessions_started_total", 1),
        (ENDED, 1),
        ("autokitteh_sessions_ended_total state=ERROR", 0),
    ):
        assert after[name] - before.get(name, 0) == more, name
    assert after["autokitteh_journal_commits_total"] > before["autokitteh_journal_commits_total"]
    assert any("sessions" in name for name in after if name.startswith("autokitteh_api_request_seconds_count"))
    assert not any(session.id in name or deployed.project.name in name for name in after), "labels must be few"


def test_webhooks_are_counted_with_what_became_of_them(stage: Stage) -> None:
    """Those that were answered by status, the events by verdict, and repeats apart."""
    triggers = "    - {name: hook, type: webhook, call: 'program.py:main', filter: data.body.json.n == 1}\n"
    deployed = stage.deploy(triggers=triggers)
    (trigger,) = stage.http.get("/triggers", params={"project": deployed.project.name}).json()["items"]
    url = trigger["webhook_url"]
    before = scrape(stage)
    for n, key in ((1, "a"), (1, "a"), (2, "b")):
        httpx.post(url, json={"n": n}, headers={"idempotency-key": key}, trust_env=False)
    after = scrape(stage)
    while after.get(ANSWERED, 0) < before.get(ANSWERED, 0) + 3:  # a sender has the answer before it is counted
        after = scrape(stage)

    for name, more in (
        (ANSWERED, 3),
        ("autokitteh_events_received_total source=webhook", 2),
        ("autokitteh_events_repeated_total source=webhook", 1),
        ("autokitteh_event_verdicts_total source=webhook verdict=started", 1),
        ("autokitteh_event_verdicts_total source=webhook verdict=filter false", 1),
    ):
        assert after[name] - before.get(name, 0) == more, name


def test_another_name_of_the_server_is_refused(stage: Stage) -> None:
    """A page of another site that has its own name lead here sees nothing, as with all of the API."""
    answer = httpx.get(f"{stage.url}/metrics", headers={"host": "evil.example"}, trust_env=False)

    assert answer.status_code in (400, 403, 421) and "autokitteh_" not in answer.text
