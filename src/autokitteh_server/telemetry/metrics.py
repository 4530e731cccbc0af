"""Instruments that count, and what Prometheus reads of them. The registry is our own: nothing here is global."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, Info
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from autokitteh_server.core.entities import VerdictKind
from autokitteh_server.core.instruments import Levels
from autokitteh_server.core.states import SessionState

#: What `render_metrics` gives. Prometheus and all that speaks its language read it.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# From a turn that only takes a signal to one that computes for a minute.
_TURN_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)
_REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

_FINAL = [state for state in SessionState if state.is_final]


class Metrics:
    """`Instruments` for Prometheus."""

    def __init__(self, version: str, levels: Callable[[], Levels]) -> None:
        """`levels` is asked whenever somebody reads; it must be quick."""
        registry = self.registry = CollectorRegistry()
        Info("autokitteh_build", "What is running.", registry=registry).info({"version": version})
        self._sessions_started = Counter("autokitteh_sessions_started", "First turns of sessions.", registry=registry)
        self._sessions_ended = Counter(
            "autokitteh_sessions_ended", "Sessions that are over.", ["state"], registry=registry
        )
        self._turns = Histogram(
            "autokitteh_turn_seconds",
            "Turns, by how they ended.",
            ["end"],
            buckets=_TURN_SECONDS,
            registry=registry,
        )
        self._events = Counter("autokitteh_events_received", "Events stored.", ["source"], registry=registry)
        self._repeated = Counter(
            "autokitteh_events_repeated", "Events that had been stored already.", ["source"], registry=registry
        )
        self._verdicts = Counter(
            "autokitteh_event_verdicts",
            "What became of events at each trigger and subscription.",
            ["source", "verdict"],
            registry=registry,
        )
        self._webhooks = Histogram(
            "autokitteh_webhook_seconds",
            "Webhooks, from request to answer.",
            ["status"],
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self._requests = Histogram(
            "autokitteh_api_request_seconds",
            "Requests to the API, by the route's template.",
            ["route", "status"],
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self._swept = Counter("autokitteh_swept", "Things deleted for their age.", ["kind"], registry=registry)
        registry.register(_LevelsCollector(levels))
        for state in _FINAL:  # a rate needs a zero to start from
            self._sessions_ended.labels(state.value)

    def session_started(self) -> None:
        self._sessions_started.inc()

    def session_ended(self, state: SessionState) -> None:
        self._sessions_ended.labels(state.value).inc()

    def turn_ended(self, seconds: float, end: str) -> None:
        self._turns.labels(end).observe(seconds)

    def event_dispatched(self, source_kind: str, verdicts: Iterable[VerdictKind]) -> None:
        self._events.labels(source_kind).inc()
        for verdict in verdicts:
            self._verdicts.labels(source_kind, verdict.value).inc()

    def event_repeated(self, source_kind: str) -> None:
        self._repeated.labels(source_kind).inc()

    def webhook_answered(self, status: int, seconds: float) -> None:
        self._webhooks.labels(str(status)).observe(seconds)

    def request_done(self, route: str, status: int, seconds: float) -> None:
        self._requests.labels(route, str(status)).observe(seconds)

    def swept(self, counts: Mapping[str, int]) -> None:
        for kind, count in counts.items():
            self._swept.labels(kind).inc(count)


def render_metrics(metrics: Metrics) -> bytes:
    """All metrics as text; its type is CONTENT_TYPE."""
    return generate_latest(metrics.registry)


class _LevelsCollector(Collector):
    """Asks how things stand when somebody reads, so that nobody must tell of every change."""

    def __init__(self, levels: Callable[[], Levels]) -> None:
        self._levels = levels

    def describe(self) -> Iterator[Metric]:
        yield from ()  # without it the registry would ask for values now, when nothing has been built yet

    def collect(self) -> Iterator[Metric]:
        levels = self._levels()
        for name, help, value in (
            ("autokitteh_runners_alive", "Processes of sessions.", levels.turns_running + levels.runners_warm),
            ("autokitteh_runners_warm", "... of which wait with their session.", levels.runners_warm),
            ("autokitteh_turns_running", "Turns under way.", levels.turns_running),
            ("autokitteh_sessions_queued", "Sessions that wait for a turn.", levels.sessions_queued),
            ("autokitteh_sessions_waiting", "Sessions that have nothing to do now.", levels.sessions_waiting),
            ("autokitteh_journal_queued", "Work that the next commits will carry.", levels.journal_queued),
        ):
            yield GaugeMetricFamily(name, help, value=value)
        yield CounterMetricFamily("autokitteh_journal_commits", "Commits.", value=levels.journal_commits)
