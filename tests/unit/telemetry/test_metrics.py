"""What Prometheus reads, read by Prometheus's own parser."""

from prometheus_client.parser import text_string_to_metric_families

from autokitteh_server.core.entities import VerdictKind
from autokitteh_server.core.instruments import Instruments, Levels, NoInstruments
from autokitteh_server.core.states import SessionState
from autokitteh_server.telemetry.metrics import Metrics, render_metrics

LEVELS = Levels(
    turns_running=2, runners_warm=3, sessions_queued=4, sessions_waiting=5, journal_commits=6, journal_queued=7
)


def read(metrics: Metrics) -> dict[str, float]:
    """Samples by name and labels, as Prometheus shows them."""
    text = render_metrics(metrics).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {
        sample.name + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for sample in samples
    }


def tell_all(instruments: Instruments) -> None:
    """Use every hook."""
    instruments.session_started()
    instruments.session_ended(SessionState.ERROR)
    instruments.turn_ended(0.2, "ended")
    instruments.event_dispatched("webhook", [VerdictKind.STARTED, VerdictKind.FILTER_FALSE, VerdictKind.STARTED])
    instruments.event_repeated("webhook")
    instruments.webhook_answered(202, 0.004)
    instruments.request_done("/api/v1/sessions/{id}", 404, 0.01)
    instruments.swept({"events": 3, "blobs": 0})


def test_what_was_told_can_be_read() -> None:
    """Each hook moves its own metric, with its labels."""
    metrics = Metrics("1.2.3", lambda: LEVELS)
    tell_all(metrics)

    found = read(metrics)

    expected = {
        "autokitteh_build_info version=1.2.3": 1,
        "autokitteh_sessions_started_total": 1,
        "autokitteh_sessions_ended_total state=ERROR": 1,
        "autokitteh_sessions_ended_total state=COMPLETED": 0,
        "autokitteh_turn_seconds_count end=ended": 1,
        "autokitteh_turn_seconds_sum end=ended": 0.2,
        "autokitteh_turn_seconds_bucket end=ended le=0.25": 1,
        "autokitteh_turn_seconds_bucket end=ended le=0.1": 0,
        "autokitteh_events_received_total source=webhook": 1,
        "autokitteh_events_repeated_total source=webhook": 1,
        "autokitteh_event_verdicts_total source=webhook verdict=started": 2,
        "autokitteh_event_verdicts_total source=webhook verdict=filter false": 1,
        "autokitteh_webhook_seconds_count status=202": 1,
        "autokitteh_api_request_seconds_count route=/api/v1/sessions/{id} status=404": 1,
        "autokitteh_swept_total kind=events": 3,
    }
    assert {name: found.get(name) for name in expected} == expected


def test_levels_are_asked_when_somebody_reads() -> None:
    """They show how things stand then, not when the server was built."""
    asked = []

    def levels() -> Levels:
        asked.append(1)
        return LEVELS

    metrics = Metrics("1", levels)
    assert asked == []

    found = read(metrics)

    assert found["autokitteh_runners_alive"] == 5
    assert found["autokitteh_runners_warm"] == 3
    assert found["autokitteh_turns_running"] == 2
    assert found["autokitteh_sessions_queued"] == 4
    assert found["autokitteh_sessions_waiting"] == 5
    assert found["autokitteh_journal_commits_total"] == 6
    assert found["autokitteh_journal_queued"] == 7


def test_two_servers_in_a_process_count_apart() -> None:
    """No registry is shared."""
    first, second = Metrics("1", lambda: LEVELS), Metrics("1", lambda: LEVELS)

    first.session_started()

    assert read(first)["autokitteh_sessions_started_total"] == 1
    assert read(second)["autokitteh_sessions_started_total"] == 0


def test_nobody_may_listen() -> None:
    """The instruments that measure nothing have every hook."""
    tell_all(NoInstruments())
