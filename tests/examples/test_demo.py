"""What `make run` shows is true."""

import subprocess
import sys
from pathlib import Path

from harness import PATIENCE_S

DEMO = Path(__file__).parent.parent.parent / "scripts" / "demo.py"


def test_demo() -> None:
    """It ends by itself, having seen the session go on after the kill."""
    done = subprocess.run([sys.executable, DEMO], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "resumed" in done.stdout and "ak up" in done.stdout.splitlines()[-4]
