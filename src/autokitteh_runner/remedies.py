"""What to add to an error that comes of where a session runs rather than of its code: why, and what to do."""

import errno
from collections.abc import Callable

from autokitteh_runner.protocol import Limits, Run

_MIB = 1024 * 1024


def remedy_for(error: BaseException, limits: Limits, run: Run) -> str:
    """A line for people, "" for an error that has nothing to do with that."""
    note = _note(error, limits, run)
    return f"\n{note}" if note else ""


def _note(error: BaseException, limits: Limits, run: Run) -> str:
    if isinstance(error, MemoryError) and limits.memory_bytes:
        return f"A session may use {size(limits.memory_bytes)} of memory. {_more('memory')}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        return (
            f"The build's environment has no module {error.name}. A package that the code does not import by name at "
            "the top of a file has to stand in requirements.txt."
        )
    if not isinstance(error, OSError):
        return ""
    if error.errno in (errno.EACCES, errno.EPERM) and run.confine and error.filename is not None:
        return _of_file(str(error.filename))
    found = _BY_NUMBER.get(error.errno or 0)
    return found(limits) if found is not None else ""


def _of_file(path: str) -> str:
    return (
        f"Sessions on this server may not do that with {path}: they read their project's files, and write below "
        "tempfile.gettempdir(). The server's settings isolation.read_paths and isolation.write_paths add to that."
    )


_BY_NUMBER: dict[int, Callable[[Limits], str]] = {
    errno.EFBIG: lambda limits: f"A session may write files of up to {size(limits.file_bytes)}. {_more('file_size')}",
    errno.EMFILE: lambda limits: f"A session may have {int(limits.open_files)} files open. {_more('open_files')}",
    errno.ENOMEM: lambda limits: f"A session may use {size(limits.memory_bytes)} of memory. {_more('memory')}",
}


def size(number: float) -> str:
    """A number of bytes as people say it."""
    return f"{number / _MIB:g} MiB" if number >= _MIB else f"{int(number)} bytes"


def _more(name: str) -> str:
    return f"`limits: {{{name}: ...}}` in the project's manifest allows more."
