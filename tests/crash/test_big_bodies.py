"""How much memory a server takes while strangers send it as much as they can."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from crash.town import Town
from harness import PATIENCE_S
from served import serving

#: The largest body that the server takes as it comes, and how many bodies come at once.
BODY_BYTES = 26_214_400
SENDERS = 60

#: Four bodies at once, several times: one that grows leaves holes where it was, of which no more than these come.
MOST_BYTES = 5 * 4 * BODY_BYTES

BODIES = {
    "zeros": bytes(BODY_BYTES),
    "lists": b'{"verification_token":[' + b"[]," * (BODY_BYTES // 3 - 20) + b"[]]}",  # 20 times as large once read
}


def peak_bytes(pid: int) -> int:
    """The most memory that a process has had so far."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("path", ["/github/webhook/k1", "/confluence/webhook/created", "/notion/webhook/con_1"])
def test_strangers_cannot_fill_the_memory(tmp_path: Path, path: str, body: bytes) -> None:
    """What nobody has signed costs no more than its bytes, of which few are in memory at once."""
    town = Town(tmp_path)
    with serving(tmp_path, durable=True) as served:
        served.connect("github", {"pat": "p", "pat_key": "k1", "pat_secret": "s"})

    def send(url: str) -> int:
        with httpx.Client(timeout=PATIENCE_S) as client:
            try:
                return client.post(url + path, content=body, headers={"content-type": "application/json"}).status_code
            except httpx.TransportError:  # refused before all of it was sent
                return 0

    with town.server() as (process, url), ThreadPoolExecutor(SENDERS) as threads:
        assert httpx.get(f"{url}/health", timeout=PATIENCE_S).status_code == 200
        before = peak_bytes(process.pid)
        statuses = Counter(threads.map(send, [url] * SENDERS))
        assert httpx.get(f"{url}/health", timeout=PATIENCE_S).status_code == 200
        grown = peak_bytes(process.pid) - before
        print(f"{path}: {statuses}, {before >> 20} MiB and {grown >> 20} MiB more")
    assert set(statuses) <= {0, 400, 401, 403, 413, 503}
    assert grown < MOST_BYTES
