"""A project's files that came over the network, as a source."""

from collections.abc import Mapping

from autokitteh_server.builds.source import Source, source_from_files
from autokitteh_server.core.manifest import MANIFEST_FILES


def source_of(files: Mapping[str, bytes], name: str) -> Source:
    """The source that files make up. `name` is its name where there is no manifest.

    Raises InvalidArgument for paths that lead elsewhere, too much of anything, and where nothing says what the project
    is called; and ManifestError.
    """
    has_manifest = any(path in files for path in MANIFEST_FILES)
    return source_from_files("" if has_manifest else name, files)
