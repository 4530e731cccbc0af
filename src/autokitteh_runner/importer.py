"""Imports the project's code, rewritten or as it is, for as long as the process lives.

The door is a path hook, not a finder of its own on `sys.meta_path`: Python's path finder goes on deciding what a name
means (regular package before namespace package, the order of `sys.path`, folders that user code puts there), and only
what lies in the project's folder gets another loader. So late imports, `importlib.import_module`, `importlib.reload`,
`runpy`, `pkgutil` and `importlib.resources` work as everywhere.

The project's folder stands first on `sys.path`, as for `python program.py`. Names of the standard library, and
`autokitteh`, are the exception: a project's file cannot take them, since what depends on them has mostly been imported
before. Which files lose by that is said in a warning.
"""

import builtins
import hashlib
import importlib
import importlib.machinery
import importlib.util
import marshal
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path, PurePosixPath
from types import CodeType, ModuleType
from typing import Any

from autokitteh_runner import transform

#: From whatever stands before a call's parentheses to what is called instead. See `transform`.
Resolver = Callable[[Any], Any]

#: Top-level names that a project's files cannot take.
RESERVED = sys.stdlib_module_names | {"autokitteh", "autokitteh_runner"}


class ProjectImporter:
    """The import hook for one project's folder. One per process: modules and the hook belong to the process.

    With a resolver every module is rewritten to call it, without one (a non-durable session) the code runs as it is.
    Modules are executed inside `with loading():`. With `cache_dir`, compiled code is kept there; who can write to it
    can run code in this process.
    """

    def __init__(
        self,
        root: Path,
        resolver: Resolver | None,
        loading: Callable[[], AbstractContextManager[object]] = nullcontext,
        cache_dir: Path | None = None,
    ) -> None:
        self.root = root.resolve()
        self.resolver = resolver
        self.loading = loading
        self.cache_dir = cache_dir
        #: The `co_filename` of all code loaded so far. Public, and always the same set, for a look-up per call.
        self.local_files: set[str] = set()
        self._files_of_odd_names: dict[str, str] = {}

    def is_project_code(self, code: CodeType) -> bool:
        """Whether a code object comes from one of the project's files."""
        return code.co_filename in self.local_files

    def install(self) -> None:
        """From now on import the project's code. Warns (RuntimeWarning) of files whose names are reserved.

        A third-party module that has been imported already, by a fork server say, gives way to a project's of the same
        name, as it would if nothing had been imported yet.
        """
        sys.path_hooks.insert(0, self._finder)
        sys.path.insert(0, str(self.root))
        self._forget_finders()
        own = self._top_level_modules()
        for name in sorted(own.keys() & RESERVED):
            warnings.warn(_reserved_message(name, own.pop(name).relative_to(self.root)), RuntimeWarning, stacklevel=2)
        taken = own.keys() & sys.modules.keys()
        if taken:  # of a package's thousands of modules none is there without the package
            _forget_modules(name for name in sys.modules if name != "__main__" and name.partition(".")[0] in taken)
        if self.resolver is not None:
            # Modules have the resolver in their globals. This one is for project code that is run with other globals:
            # by runpy, or as a copy of a function.
            setattr(builtins, transform.RESOLVER, self.resolver)

    def uninstall(self) -> None:
        """Undo `install`, and forget the project's modules; an importer for another project can be installed then."""
        sys.path_hooks.remove(self._finder)
        sys.path.remove(str(self.root))
        self._forget_finders()
        _forget_modules(
            name for name, module in list(sys.modules.items()) if self._has_found(getattr(module, "__spec__", None))
        )
        if self.resolver is not None:
            delattr(builtins, transform.RESOLVER)

    def load_file(self, path: str) -> ModuleType:
        """Import the module in a file, such as "sub/handlers.py", relative to the project's folder.

        It is the module that `import sub.handlers` gives. A file that no import statement can reach is loaded as a
        top-level module, "v1.2/my-handler.py" as "v1_2_my-handler", so that its classes can be pickled all the same.
        Raises ImportError if there is no such file or its name is reserved, and what the module raises.
        """
        pure = PurePosixPath(path)
        file = self.root / pure
        if pure.suffix != ".py" or pure.is_absolute() or ".." in pure.parts or not file.is_file():
            raise ImportError(f"the project has no Python file {path!r}", path=path)
        parts = [*pure.parent.parts, pure.stem]
        if len(parts) == 1 and pure.stem in RESERVED:
            raise ImportError(_reserved_message(pure.stem, pure), name=pure.stem, path=path)
        if len(parts) > 1 and pure.stem == "__init__":
            parts.pop()
        name = ".".join(parts)
        if name == "__main__":
            name = self._add_odd_name("__main_file__", file)
        elif any("." in part for part in parts) or not self._is_reachable(parts[0]):
            name = self._add_odd_name("_".join(parts).replace(".", "_"), file)
        # The import statement's own function, for it takes the import system out of tracebacks.
        __import__(name)
        module = sys.modules[name]
        if module.__file__ is None or not file.samefile(module.__file__):
            raise ImportError(
                f"{path!r} would be module {name}, but that is {module!r}; rename it", name=name, path=path
            )
        return module

    def _add_odd_name(self, name: str, file: Path) -> str:
        self._files_of_odd_names[name] = str(file)
        return name

    def _code(self, source: bytes, filename: str) -> CodeType:
        """Compile a project's file, or take it from the cache."""
        self.local_files.add(filename)
        if self.cache_dir is None:
            return self._compile(source, filename)
        rewritten = 0 if self.resolver is None else transform.VERSION
        # Line by line what the code depends on besides its source. The file name is in the code itself.
        about = f"{sys.implementation.cache_tag}\n{importlib.util.MAGIC_NUMBER.hex()}\n{rewritten}\n{filename}\n"
        entry = self.cache_dir / hashlib.sha256(about.encode(errors="surrogateescape") + source).hexdigest()
        code = _load_code(entry)
        if code is None:
            code = self._compile(source, filename)
            _save_code(entry, code)
        return code

    def _compile(self, source: bytes, filename: str) -> CodeType:
        if self.resolver is None:
            return compile(source, filename, "exec", dont_inherit=True)
        return transform.compile_module(source, filename)

    def _finder(self, entry: str) -> "_ProjectFinder":
        """A path hook: the finder for a folder of the project. Raises ImportError for any other."""
        folder = self._project_folder(entry)
        if folder is None or not os.path.isdir(folder):
            raise ImportError("not a folder of the project", path=entry)
        return _ProjectFinder(folder, self)

    def _project_folder(self, entry: str) -> str | None:
        """The one spelling of a folder's path that is used for all modules in it, None if it is not the project's."""
        # In texts, not in `Path`s, which take ten times as long: it is asked dozens of times before a session begins.
        real = os.path.realpath(entry)
        if self._contains(real):
            return real
        # A link to code elsewhere makes that code the project's.
        path = entry if os.path.isabs(entry) else os.path.join(os.getcwd(), entry)
        return path if ".." not in path.split(os.sep) and self._contains(path) else None

    def _contains(self, path: str) -> bool:
        """Whether a path is in the project's folder, and not in a virtual environment there."""
        root = str(self.root)
        if not _is_in(path, root):
            return False
        if sys.prefix != root and _is_in(sys.prefix, root) and _is_in(path, sys.prefix):
            return False
        return not {"site-packages", "dist-packages"}.intersection(path[len(root) :].split(os.sep))

    def _has_found(self, spec: importlib.machinery.ModuleSpec | None) -> bool:
        """Whether a module, or a part of a namespace package, is the project's."""
        if spec is None:
            return False
        places = [spec.origin] if spec.has_location else list(spec.submodule_search_locations or ())
        return any(place is not None and self._project_folder(place) is not None for place in places)

    def _is_reachable(self, top: str) -> bool:
        """Whether importing a top-level name gives what the project's folder has by that name."""
        return top not in RESERVED and self._has_found(importlib.machinery.PathFinder.find_spec(top))

    def _top_level_modules(self) -> dict[str, Path]:
        """The modules and regular packages in the project's folder itself. Namespace packages yield to anything."""
        found = {}
        for path in self.root.iterdir():
            if path.suffix == ".py":
                found[path.stem] = path
            elif (path / "__init__.py").is_file():
                found[path.name] = path
        return found

    def _forget_finders(self) -> None:
        # A fork server leaves hundreds of them, of packages, and to ask the file system about each takes milliseconds.
        packages = tuple(
            prefix + os.sep for prefix in {sys.prefix, sys.base_prefix} if not _is_in(str(self.root), prefix)
        )
        for entry in list(sys.path_importer_cache):
            if not entry.startswith(packages) and self._project_folder(entry) is not None:
                del sys.path_importer_cache[entry]


class _ProjectFinder(importlib.machinery.FileFinder):
    """What importlib uses for any folder, with another loader for sources, and without reserved names."""

    def __init__(self, folder: str, importer: ProjectImporter) -> None:
        def loader(name: str, path: str) -> _ProjectLoader:
            return _ProjectLoader(name, path, importer)

        # Compiled modules stay what they are: not rewritten, and not project code to the resolver.
        super().__init__(
            folder,
            (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES),
            (loader, importlib.machinery.SOURCE_SUFFIXES),  # type: ignore[arg-type]  # a function will do
            (importlib.machinery.SourcelessFileLoader, importlib.machinery.BYTECODE_SUFFIXES),
        )
        self._loader = loader
        self._importer = importer

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> importlib.machinery.ModuleSpec | None:
        if fullname in RESERVED:
            return None
        file = self._importer._files_of_odd_names.get(fullname)
        if file is not None:
            return importlib.util.spec_from_file_location(fullname, file, loader=self._loader(fullname, file))
        return super().find_spec(fullname, target)


class _ProjectLoader(importlib.machinery.SourceFileLoader):
    """Loads one source file. Reads and writes no `__pycache__`, where code is kept that is not rewritten."""

    def __init__(self, name: str, path: str, importer: ProjectImporter) -> None:
        super().__init__(name, path)
        self._importer = importer

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self._importer._code(self.get_data(path), path)

    def exec_module(self, module: ModuleType) -> None:
        try:
            code = self.get_code(module.__name__)
        except SyntaxError as error:
            # It says itself where it is; how we came to compile that file is of no interest.
            raise error.with_traceback(None) from error.__cause__
        if self._importer.resolver is not None:
            module.__dict__[transform.RESOLVER] = self._importer.resolver
        with self._importer.loading():
            exec(code, module.__dict__)

    # Python takes frames by this name and file out of the tracebacks of failed imports, and warnings' stack levels do
    # not count them. Without that every error in a module would show the lines above.
    exec_module.__code__ = exec_module.__code__.replace(
        co_filename="<frozen importlib._bootstrap_external>", co_name="_call_with_frames_removed"
    )


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder if folder.endswith(os.sep) else folder + os.sep)


def _reserved_message(name: str, path: os.PathLike[str]) -> str:
    whose = "of AutoKitteh" if name.startswith("autokitteh") else "of Python's standard library"
    return f"{os.fspath(path)} has the name of a module {whose}, so it cannot be imported; rename it"


def _forget_modules(names: Iterable[str]) -> None:
    for name in list(names):
        del sys.modules[name]


def _load_code(path: Path) -> CodeType | None:
    """Code from the cache; None if it is not there, or not whole."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, data = content[:32], content[32:]
    # Unmarshalling damaged data can crash the process.
    if hashlib.sha256(data).digest() != digest:
        return None
    code = marshal.loads(data)
    return code if isinstance(code, CodeType) else None


def _save_code(path: Path, code: CodeType) -> None:
    """Put code into the cache, all of it or none. A cache that cannot be written is none."""
    data = marshal.dumps(code)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(hashlib.sha256(data).digest() + data)
        temporary.replace(path)
    except OSError:
        pass
