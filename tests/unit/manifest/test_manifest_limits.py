"""What sessions of a project may use, in its manifest."""

import pytest

from autokitteh_server.core.manifest import Limits
from autokitteh_server.core.manifest_parse import parse_manifest
from autokitteh_server.core.manifest_problems import ManifestError
from autokitteh_server.core.manifest_render import render_manifest


def manifest(limits: str) -> str:
    return f"version: v2\nproject:\n  name: p\n  limits: {limits}\n"


def test_limits_are_read_and_written() -> None:
    """Sizes with units, counts as numbers; what is not said is the server's affair."""
    parsed = parse_manifest(manifest("{memory: 512 MiB, file_size: 1GB, cpu_seconds: 60, processes: 9, open_files: 0}"))

    assert parsed.limits == Limits(memory_bytes=2**29, file_bytes=10**9, cpu_s=60, processes=9, open_files=0)
    assert parse_manifest(render_manifest(parsed)) == parsed


def test_no_limits_are_none() -> None:
    """Nor an empty section."""
    assert parse_manifest(manifest("{}")).limits == parse_manifest(manifest("")).limits == Limits()


@pytest.mark.parametrize(
    ("limits", "path", "said"),
    [
        ("{memory: lots}", "project.limits.memory", "512 MiB"),
        ("{processes: -1}", "project.limits.processes", "whole number"),
        ("{cpu_seconds: 1.5}", "project.limits.cpu_seconds", "whole number"),
        ("{memry: 1}", "project.limits.memry", "no field `memry`"),
        ("[1]", "project.limits", "has fields"),
    ],
)
def test_what_is_no_limit_is_refused(limits: str, path: str, said: str) -> None:
    """With the place of the field."""
    with pytest.raises(ManifestError) as caught:
        parse_manifest(manifest(limits))

    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == (path, 4)
    assert said in problem.message
