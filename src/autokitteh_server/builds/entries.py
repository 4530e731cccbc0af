"""Which function a session starts with, found without running the code."""

from collections.abc import Iterable, Iterator

from autokitteh_server.builds.source import Source
from autokitteh_server.builds.syntax import Definitions, definitions, syntax_problem
from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.manifest_problems import Problem
from autokitteh_server.core.names import Entry, did_you_mean, parse_entry

#: Where a project's handlers are looked for, if it has several files.
MAIN_FILES = ("program.py", "main.py")

#: The function that runs when nothing says which.
DEFAULT_HANDLER = "on_trigger"

_HOW = "Name one with `--entry FILE.py:FUNC`"
_SHOWN = 20  # candidates in a message


def find_entry(source: Source, entry: str | None = None) -> Entry:
    """The function to start with: the one given, or the one that can only be meant.

    That is, in this order: what all the manifest's triggers call; the only public function of the main file; the
    function `on_trigger` in it; the only one named `on_...`; the only one that is not marked `@activity`. The main
    file is the only one of Python, or program.py or main.py.

    Raises InvalidArgument if there is none or no telling which, and for one that is not there.
    """
    found = parse_entry(entry) if entry is not None else _only_entry(source)
    check_entry(source, found)
    return found


def check_entry(source: Source, entry: Entry) -> None:
    """Raises InvalidArgument if the file is missing or invalid, or has nothing of that name at its top level."""
    _check(source, entry, {})


def _check(source: Source, entry: Entry, known: dict[str, Definitions]) -> None:
    """As `check_entry`; `known` are the definitions of files that were looked at before."""
    if entry.file not in source.files:
        remedy = _remedy(entry.file, _python_files(source), "The files of Python are")
        raise InvalidArgument(f"{entry}: there is no file {entry.file} in the project", remedy)
    if entry.file not in known:
        known[entry.file] = _definitions(source, entry.file)
    if not known[entry.file].has(entry.function):
        remedy = _remedy(entry.function, known[entry.file].functions, "Its functions are")
        raise InvalidArgument(f"{entry}: {entry.file} defines no {entry.function} at its top level", remedy)


def missing_entries(source: Source, broken: set[str]) -> Iterator[Problem]:
    """What is wrong with what the manifest's triggers call. Files that are broken anyway are not looked into."""
    if source.manifest is None or source.manifest_path is None:
        return
    known: dict[str, Definitions] = {}
    for at, trigger in enumerate(source.manifest.triggers):
        if trigger.call is None or trigger.call.file in broken:
            continue
        try:
            _check(source, trigger.call, known)
        except InvalidArgument as error:
            yield Problem(
                message=error.message.rstrip("."),
                line=_line_of(source.files[source.manifest_path], trigger.call),
                file=source.manifest_path,
                path=f"project.triggers[{at}].call",
                remedy=error.remedy,
            )


def _only_entry(source: Source) -> Entry:
    called = _called(source)
    if len(called) == 1:
        return called[0]
    handlers = [Entry(file, name) for file in _main_files(source) for name in _handlers(source, file)]
    defaults = [handler for handler in handlers if handler.function == DEFAULT_HANDLER]
    # Last, what looks like a handler beside helpers. A handler may be an activity itself; most activities are helpers.
    named = [handler for handler in handlers if handler.function.startswith("on_")]
    unmarked = [handler for handler in handlers if handler.function not in _activities(source, handler.file)]
    for choice in (handlers, defaults, named, unmarked):
        if len(choice) == 1:
            return choice[0]
    raise _no_telling(list(dict.fromkeys([*called, *handlers])))


def _called(source: Source) -> list[Entry]:
    triggers = source.manifest.triggers if source.manifest else ()
    return list(dict.fromkeys(trigger.call for trigger in triggers if trigger.call))


def _python_files(source: Source) -> list[str]:
    return [path for path in source.files if path.endswith(".py")]


def _main_files(source: Source) -> list[str]:
    files = _python_files(source)
    return files if len(files) == 1 else [path for path in MAIN_FILES if path in files]


def _handlers(source: Source, file: str) -> list[str]:
    return [name for name in _definitions(source, file).functions if not name.startswith("_")]


def _activities(source: Source, file: str) -> frozenset[str]:
    return _definitions(source, file).activities


def _definitions(source: Source, file: str) -> Definitions:
    content = source.files[file]
    if problem := syntax_problem(file, content):
        raise InvalidArgument(str(problem))
    return definitions(content)


def _no_telling(candidates: list[Entry]) -> InvalidArgument:
    if not candidates:
        return InvalidArgument("no function to start with was found", f"{_HOW}.")
    listed = "\n".join(f"  {candidate}" for candidate in candidates[:_SHOWN])
    return InvalidArgument("it is not clear which function to start with", f"{_HOW}:\n{listed}")


def _remedy(word: str, known: Iterable[str], introduction: str) -> str:
    names = list(known)
    if near := did_you_mean(word, names):
        return f"Did you mean {near}?"
    return f"{introduction}: {', '.join(names[:_SHOWN])}." if names else ""


def _line_of(manifest: bytes, call: Entry) -> int:
    """The line in which an entry is first named: the manifest's values do not know where they stood."""
    return manifest.count(b"\n", 0, max(0, manifest.find(str(call).encode()))) + 1
