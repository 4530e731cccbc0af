"""`make bench`: the numbers that the design promises, beside DBOS measured in the same run on the same machine."""

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from bench import ours, server, starts
from postgres_cluster import NoPostgreSQL, run_cluster

#: Each figure is the median of so many runs, ours and theirs in turn: the machine's speed drifts.
ROUNDS = 3


def main() -> None:
    """Measure and print."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}")
    print("Durable commits; medians of", ROUNDS, "rounds. Read ratios rather than absolutes.\n")
    compare("SQLite", _sqlite)
    try:
        with run_cluster() as cluster:
            compare("PostgreSQL", lambda: _postgres(cluster))
    except NoPostgreSQL as err:
        print(f"PostgreSQL: skipped, {err}\n")
    print(f"replay                          {ours.replay_us_a_record(records=40_000):8.1f} µs a record   (goal < 15)")
    rewritten, plain = ours.local_call_ns()
    print(f"call of a local function        {rewritten:8.0f} ns, plain Python {plain:.0f}: ", end="")
    print(f"{rewritten - plain:.0f} ns extra (goal < 500), {rewritten / plain:.1f}x (goal <= 3x)")
    print(f"a session, submitted to over    {ours.start_ms():8.1f} ms\n")
    measure_starts()
    measure_server()


def measure_starts() -> None:
    """Processes of sessions with slack-sdk, openai and google-api-python-client imported, confined as by default."""
    warm, cold, private_mib, build_s = starts.measure()
    print(f"start of a session's process    {warm:8.1f} ms, p50, warm (goal < 10); a cold interpreter {cold:.0f} ms")
    print(f"a waiting session's own memory  {private_mib:8.1f} MiB (goal < 10)")
    print(f"build with a cached environment {build_s:8.2f} s (goal < 1)\n", flush=True)


def measure_server() -> None:
    """A whole server: `ak up` on SQLite in a process of its own, with its load on the same machine."""
    rates = [server.webhooks_a_second() for _ in range(ROUNDS)]
    print(
        f"durable webhooks accepted       {median(rates):8.0f} a second, each starts a session (goal > 1,000)",
        flush=True,
    )
    taken = [server.deliveries_a_second() for _ in range(ROUNDS)]
    print(f"deliveries of a service taken   {median(taken):8.0f} a second, signed, each starts a session", flush=True)
    lines = [server.first_line_ms() for _ in range(ROUNDS)]
    print(f"webhook to first line of code   {median(lines):8.1f} ms, p50, warm (goal < 15)", flush=True)
    replies = [server.sync_ms() for _ in range(ROUNDS)]
    print(f"sync webhook, round trip        {median(replies):8.1f} ms, p50 (goal < 25)", flush=True)
    for count in (10_000, 100_000):
        up_s, memory_mib, late_ms, resumed_s = server.sleeping(count=count)
        what = f"{count:,} sleeping sessions"
        print(f"{what:31} up in {up_s:.1f} s, {memory_mib:.0f} MiB, woken {late_ms:.0f} ms late (goal < 100); ", end="")
        print(f"after a kill the first turn in {resumed_s:.1f} s (goal < 2 with 10,000)", flush=True)


def compare(store: str, new_database) -> None:
    """Activities a second on one kind of store, ours and theirs."""
    for at_once, steps, their_steps, goal in ((1, 2_000, 300, 5), (8, 1_000, 60, 15)):
        our_rates, their_rates = [], []
        for _ in range(ROUNDS):
            with new_database() as url:
                our_rates.append(ours.steps_a_second(url, sessions_at_once=at_once, steps=steps))
            with new_database() as url:
                their_rates.append(dbos_steps_a_second(url, at_once, their_steps))
        ratios = [our / their for our, their in zip(our_rates, their_rates, strict=True)]
        what = f"{store}, {at_once} session{'s' if at_once > 1 else ''}"
        aim = f"   (goal {goal}x)" if store == "SQLite" else ""
        print(f"{what:31} {median(our_rates):8.0f} activities/s, DBOS {median(their_rates):6.0f} steps/s: ", end="")
        print(f"{median(ratios):.1f}x{aim}", flush=True)
    print()


def dbos_steps_a_second(url: str, workflows: int, steps: int) -> float:
    """The peer's rate, in a process of its own."""
    command = [sys.executable, "-m", "bench.peer_dbos", url, str(workflows), str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("steps/s "):
            return float(line.split()[1])
    raise SystemExit(f"Error: DBOS did not run:\n{done.stdout}{done.stderr}")


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/bench.db"


@contextmanager
def _postgres(cluster) -> Iterator[str]:
    yield cluster.url(cluster.create_database()).replace("postgresql://", "postgresql+psycopg://")


if __name__ == "__main__":
    main()
