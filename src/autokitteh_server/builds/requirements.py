"""A project's requirements.txt: read, and freed of what it must not say, before uv gets it.

What uv is told by it comes from people who are not to reach the server's own files and variables. So all that names a
local path or a variable is refused here, and so is each option that is not known to be harmless.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from packaging import requirements
from packaging.specifiers import Specifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from autokitteh_server.builds.packages import Package, find_promised
from autokitteh_server.core.manifest_problems import Problem

REQUIREMENTS_FILE = "requirements.txt"

_MAX_BYTES = 1_000_000  # of one file
_MAX_LINE = 20_000  # characters; a line with the hashes of hundreds of wheels is shorter
_MAX_RANGE = 200  # characters of a specifier; beyond that it is left to uv

_SCHEMES = ("https://", "http://", "git+https://")
_VARIABLE = re.compile(r"\$\{[A-Za-z_]\w*\}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff]")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_OPTION = re.compile(r"(?:(--[a-z][a-z-]*)(?:\s*=\s*|\s+|$)|(-[a-zA-Z])\s*)(.*)")
_HASH = re.compile(r"\s+--hash(?:=|\s+)([a-z0-9]+:[0-9a-fA-F]+)")
_HASHES = re.compile(rf"(?:{_HASH.pattern})+")
_LOCAL = re.compile(r"[./~]|file:|[^\s;]*[/\\]|[^\s;@]*\.(?:whl|zip|tar\.[a-z0-9]+|tgz)(?:\s|;|$)")

_WITH_URL = frozenset({"-i", "--index-url", "--extra-index-url", "-f", "--find-links"})
_WITH_PACKAGES = frozenset({"--no-binary", "--only-binary"})
_WITHOUT_VALUE = frozenset({"--no-index"})
_OTHER_FILE = frozenset({"-r", "--requirement"})
_EDITABLE = frozenset({"-e", "--editable"})

_OF_THE_PROJECT = "The project's own code needs no installing: put it into the project, and import it."
_ADDRESS = "Give an address that begins with https://."
_KNOWN_OPTIONS = "Remove it. Options that may be here: --index-url, --extra-index-url, --find-links, --no-index, " \
    "--no-binary, --only-binary, --hash and -r."  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A package that a project asks for."""

    name: str  # as PyPI compares names: in lower case, with "-" between words
    text: str  # the whole requirement for uv, on one line
    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What requirements.txt says, and the files that it names."""

    items: tuple[Requirement, ...] = ()
    options: tuple[str, ...] = ()  # lines for uv
    problems: tuple[Problem, ...] = ()


def read_requirements(files: Mapping[str, bytes]) -> Requirements:
    """The requirements of a project, in order; none if it has no such file. With all that is wrong with them."""
    reader = _Reader(files)
    if REQUIREMENTS_FILE in files:
        reader.read()
    return Requirements(items=tuple(reader.items), options=tuple(reader.options), problems=tuple(reader.problems))


def repeated_package(requirement: Requirement) -> Package | None:
    """The promised package that a requirement names again, if it does."""
    return find_promised(requirement.name)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line after the continued ones are joined, where it began."""

    file: str
    number: int
    text: str


@dataclass(slots=True)
class _Reader:
    """Reads a file and those that it names, each once."""

    files: Mapping[str, bytes]
    items: list[Requirement] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def read(self) -> None:
        waiting = [REQUIREMENTS_FILE]
        seen = set(waiting)
        while waiting:
            others = [other for line in self._lines(waiting.pop()) if (other := self._take(line))]
            waiting.extend(reversed([other for other in dict.fromkeys(others) if other not in seen]))
            seen.update(others)

    def _lines(self, file: str) -> Iterator[_Line]:
        content = self.files[file]
        if len(content) > _MAX_BYTES:
            self._refuse(_Line(file, 1, ""), f"the file has more than {_MAX_BYTES:,} bytes", "Ask for less.")
            return
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            number = content.count(b"\n", 0, error.start) + 1
            self._refuse(_Line(file, number, ""), "the file is not UTF-8", "Save it as UTF-8.")
            return
        yield from _joined(file, text)

    def _take(self, line: _Line) -> str | None:
        """Keep what a line says. The file that is to be read as well, if it names one."""
        if len(line.text) > _MAX_LINE or _CONTROL.search(line.text):
            self._refuse(line, "the line is too long, or has control characters", "Write one requirement a line.")
        elif variable := _VARIABLE.search(line.text):
            remedy = "The server's variables are not for projects: write out what is meant."
            self._refuse(line, f"{variable[0]} would be a variable of the server", remedy)
        elif option := _OPTION.fullmatch(line.text):
            return self._take_option(line, option[1] or option[2], option[3].strip())
        else:
            self._take_requirement(line)
        return None

    def _take_option(self, line: _Line, option: str, value: str) -> str | None:
        if option in _OTHER_FILE:
            return self._other_file(line, value)
        if option in _EDITABLE:
            self._refuse(line, "a requirement that can be edited is a path on somebody's machine", _OF_THE_PROJECT)
        elif option in _WITH_URL and not _is_address(value):
            self._refuse(line, f"{option} does not lead to a server", _ADDRESS)
        elif option not in _WITH_URL | _WITH_PACKAGES | _WITHOUT_VALUE or bool(value) is (option in _WITHOUT_VALUE):
            self._refuse(line, f"the option {option} cannot be used here", _KNOWN_OPTIONS)
        else:
            self.options.append(f"{option} {value}".strip())
        return None

    def _other_file(self, line: _Line, value: str) -> str | None:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(line.file), value)) if value else ""
        if path in self.files:
            return path
        is_outside = path.startswith(("/", "..")) or "://" in value
        what = "lies outside of the project" if is_outside else "is not there"
        self._refuse(line, f"the file {value!r} {what}", "Put it into the project, or its lines in here.")
        return None

    def _take_requirement(self, line: _Line) -> None:
        text, hashes = _without_hashes(line.text)
        if text.startswith(_SCHEMES):
            self._refuse(line, "nothing says which package is at this address", "Write `name @ https://...`.")
            return
        if _LOCAL.match(text.partition("@")[0]):
            self._refuse(line, "a path on somebody's machine is no requirement", _OF_THE_PROJECT)
            return
        try:
            found = requirements.Requirement(text)
        except (requirements.InvalidRequirement, RecursionError) as error:
            reason = str(error).partition("\n")[0] or "it cannot be read"
            self._refuse(line, f"this is no requirement: {reason}", "Write one as in `name>=1.0,<2`.")
            return
        if found.url is not None and not _is_address(found.url):
            self._refuse(line, "the address does not lead to a server", _ADDRESS)
            return
        name = canonicalize_name(found.name)
        self.items.append(Requirement(name=name, text=text + hashes, file=line.file, line=line.number))
        if package := _misfit(found):
            message = f"no version of {package.name} fits `{found.specifier}` and the promised `{package.range}`"
            self._refuse(line, message, f"Remove the line: {package.requirement} is there without it.")

    def _refuse(self, line: _Line, message: str, remedy: str) -> None:
        excerpt = _CONTROL.sub("?", line.text[:200])
        self.problems.append(Problem(message=message, file=line.file, line=line.number, remedy=remedy, excerpt=excerpt))


def _joined(file: str, text: str) -> Iterator[_Line]:
    """Lines without comments, those that end in a backslash joined with the next one."""
    begun: list[str] = []
    start = 1
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.removesuffix("\r")
        start = start if begun else number
        is_continued = line.endswith("\\") and not line.lstrip().startswith("#")
        begun.append(line[:-1] if is_continued else line)
        if not is_continued:
            yield from _uncommented(_Line(file, start, "".join(begun)))
            begun = []
    yield from _uncommented(_Line(file, start, "".join(begun)))


def _uncommented(line: _Line) -> Iterator[_Line]:
    if text := _COMMENT.sub("", line.text).strip():
        yield _Line(line.file, line.number, text)


def _without_hashes(text: str) -> tuple[str, str]:
    """A requirement, and the hashes of its files behind it, such that they can be put together again."""
    bare, dashes, rest = text.partition(" --")
    hashes = _HASHES.fullmatch(dashes + rest)
    if not hashes:
        return text, ""
    return bare.strip(), "".join(f" --hash={each}" for each in _HASH.findall(hashes[0]))


def _is_address(url: str) -> bool:
    return url.startswith(_SCHEMES) and len(url.split()) == 1


def _misfit(found: requirements.Requirement) -> Package | None:
    """The promised package of which no version can ever fit the requirement; None where that is for uv to find out."""
    package = find_promised(found.name)
    if package is None or found.url is not None or found.marker is not None or len(str(found.specifier)) > _MAX_RANGE:
        return None
    both = SpecifierSet(package.range) & found.specifier
    # The versions that fit form intervals: if there are any, one is at a bound, or just above one.
    candidates = [Version("0"), *(each for specifier in both for each in _bounds(specifier))]
    fits = any(both.contains(candidate, prereleases=True) for candidate in candidates)
    return None if fits or any(each.operator == "===" for each in both) else package


def _bounds(specifier: Specifier) -> Iterator[Version]:
    """The versions at which a specifier begins or ceases to fit, and others just above them."""
    try:
        version = Version(specifier.version.removesuffix(".*"))
    except InvalidVersion:
        return
    parts = version.release
    heads = [parts, *((*parts[:count], parts[count] + 1) for count in range(len(parts)))]
    for head in heads:
        release = f"{version.epoch}!" + ".".join(map(str, head))
        # More zeros than anybody writes, so that nothing lies between a bound and what is just above it.
        yield from (Version(release), Version(release + ".0" * 8 + ".1"))
    yield version
