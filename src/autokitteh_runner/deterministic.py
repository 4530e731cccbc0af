"""Tables: which callables outside the project need no record, and which need a cheap one.

Read by `classify`. What stands in no table is an activity, so a forgotten entry costs time, never correctness.
"""

import builtins
import bz2
import codecs
import datetime
import functools
import gzip
import io
import itertools
import lzma
import os
import pathlib
import random
import secrets
import sys
import threading
import time
import tokenize
import uuid
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Final

#: Modules of the standard library whose functions and classes depend on their arguments only. A name covers its
#: submodules too.
MODULES: Final = frozenset(
    [
        "__future__",
        "_abc",
        "_asyncio",
        "_bisect",
        "_bz2",
        "_codecs",
        "_collections",
        "_collections_abc",
        "_contextvars",
        "_csv",
        "_datetime",
        "_decimal",
        "_elementtree",
        "_functools",
        "_heapq",
        "_hashlib",
        "_hmac",
        "_io",
        "_json",
        "_lzma",
        "_md5",
        "_operator",
        "_pickle",
        "_pydatetime",
        "_pydecimal",
        "_queue",
        "_sha1",
        "_sha2",
        "_sha256",
        "_sha3",
        "_sha512",
        "_sre",
        "_stat",
        "_string",
        "_strptime",
        "_struct",
        "_thread",
        "_threading_local",
        "_tokenize",
        "_tracemalloc",
        "_typing",
        "_warnings",
        "_weakref",
        "_weakrefset",
        "_blake2",
        "_random",
        "_zoneinfo",
        "_statistics",
        "_opcode",
        "_ast",
        "abc",
        "argparse",
        "array",
        "ast",
        "asyncio",
        "atexit",
        "autokitteh",
        "autokitteh_runner",
        "base64",
        "binascii",
        "bisect",
        "builtins",
        "bz2",
        "calendar",
        "cmath",
        "codecs",
        "collections",
        "colorsys",
        "configparser",
        "contextlib",
        "contextvars",
        "copy",
        "copyreg",
        "csv",
        "dataclasses",
        "datetime",
        "decimal",
        "difflib",
        "dis",
        "email",
        "encodings",
        "enum",
        "fnmatch",
        "fractions",
        "functools",
        "gc",
        "genericpath",
        "getopt",
        "gettext",
        "graphlib",
        "gzip",
        "hashlib",
        "heapq",
        "hmac",
        "html",
        "importlib",
        "inspect",
        "io",
        "ipaddress",
        "itertools",
        "json",
        "keyword",
        "locale",
        "logging",
        "lzma",
        "marshal",
        "math",
        "mimetypes",
        "numbers",
        "opcode",
        "operator",
        "optparse",
        "pickle",
        "plistlib",
        "posixpath",
        "pprint",
        "pyexpat",
        "queue",
        "quopri",
        "random",
        "re",
        "reprlib",
        "secrets",
        "shlex",
        "signal",
        "stat",
        "statistics",
        "string",
        "stringprep",
        "struct",
        "sys",
        "textwrap",
        "threading",
        "time",
        "token",
        "tokenize",
        "tomllib",
        "traceback",
        "types",
        "typing",
        "typing_extensions",
        "unicodedata",
        "urllib.parse",
        "uuid",
        "warnings",
        "weakref",
        "xml",
        "zlib",
        "zoneinfo",
    ]
)

#: Callables of those modules that do reach outside after all: they are activities.
ACTIVITIES: Final[frozenset[Any]] = frozenset(
    {
        builtins.open,
        builtins.input,
        io.open_code,
        io.FileIO,
        io.TextIOWrapper,
        io.BufferedReader,
        io.BufferedWriter,
        io.BufferedRandom,
        bz2.open,
        codecs.open,
        gzip.open,
        lzma.open,
        tokenize.open,
        os.path.exists,
        os.path.lexists,
        os.path.isfile,
        os.path.isdir,
        os.path.islink,
        os.path.ismount,
        os.path.getsize,
        os.path.getmtime,
        os.path.getatime,
        os.path.getctime,
        os.path.samefile,
        os.path.sameopenfile,
        os.path.realpath,
        time.sleep,
    }
)

#: The same of modules that are not worth importing for this, by qualified name.
ACTIVITY_NAMES: Final = frozenset(
    {
        "configparser.RawConfigParser.read",
        "mimetypes.read_mime_types",
        # Parts of a message are told apart by a random text.
        "email.generator.Generator.flatten",
        "email.message.MIMEPart.as_string",
        "email.message.Message.as_bytes",
        "email.message.Message.as_string",
        "xml.dom.expatbuilder.parse",
        "xml.dom.minidom.parse",
        "xml.dom.pulldom.parse",
        "xml.etree.ElementTree.ElementTree.parse",
        "xml.etree.ElementTree.ElementTree.write",
        "xml.etree.ElementTree.iterparse",
        "xml.etree.ElementTree.parse",
        "xml.sax.parse",
    }
)

#: Modules that start threads or processes of their own: their order is nobody's to repeat.
THREADS: Final = {
    "threading.Thread": "a thread",
    "threading.Timer": "a thread",
    "threading.Thread.start": "a thread",
    "_thread.start_new_thread": "a thread",
    "concurrent.futures.thread.ThreadPoolExecutor": "a pool of threads",
    "concurrent.futures.process.ProcessPoolExecutor": "a pool of processes",
    "multiprocessing.context.Process": "a process",
    "multiprocessing.process.BaseProcess.start": "a process",
}

#: Cheap reads that differ from run to run: recorded, never waited for.
NOTES: Final[frozenset[Any]] = frozenset(
    {
        time.time,
        time.time_ns,
        time.monotonic,
        time.monotonic_ns,
        time.perf_counter,
        time.perf_counter_ns,
        time.process_time,
        time.process_time_ns,
        time.thread_time,
        time.thread_time_ns,
        time.clock_gettime,
        time.clock_gettime_ns,
        time.localtime,
        time.gmtime,
        time.ctime,
        time.asctime,
        time.strftime,
        datetime.datetime.now,
        datetime.datetime.utcnow,
        datetime.datetime.today,
        datetime.date.today,
        uuid.uuid1,
        uuid.uuid4,
        uuid.getnode,
        os.urandom,
        os.getenv,
        os.getpid,
        os.getppid,
        os.getcwd,
        os.cpu_count,
        os.environ.get,
        os.environ.copy,  # its views are as `os.environ[name]` and `in os.environ`, which are no calls: not noted
        secrets.token_bytes,
        secrets.token_hex,
        secrets.token_urlsafe,
        secrets.randbelow,
        secrets.randbits,
        secrets.choice,
        builtins.id,
        sys.getrefcount,
        threading.get_ident,
        threading.get_native_id,
        pathlib.Path.cwd.__func__,  # type: ignore[attr-defined]  # as any of its subclasses has it
        pathlib.Path.home.__func__,  # type: ignore[attr-defined]
        pathlib.Path.absolute,
        pathlib.Path.expanduser,
        os.path.abspath,
        os.path.expanduser,
        os.path.expandvars,
        os.path.relpath,
        gzip.compress,  # writes the time into its result
    }
)

#: The same of modules that are not worth importing for this, by qualified name.
NOTE_NAMES: Final = frozenset(
    {
        "email.utils.formatdate",
        "email.utils.localtime",
        "email.utils.make_msgid",
        "mimetypes.guess_all_extensions",  # by tables of the machine's
        "mimetypes.guess_extension",
        "mimetypes.guess_file_type",
        "mimetypes.guess_type",
        "zoneinfo._tzpath.available_timezones",
    }
)

#: Class methods among the notes, by name, for subclasses of the classes that define them.
NOTE_CLASSMETHODS: Final[dict[type, frozenset[str]]] = {
    datetime.datetime: frozenset({"now", "utcnow", "today"}),
    datetime.date: frozenset({"today"}),
}

#: Classes whose every method reads the system's randomness.
NOTE_TYPES: Final = frozenset({random.SystemRandom})

#: The functions of `random`, which share one hidden generator. In workflow code they use the session's own, so that
#: they need no record, and elements they choose stay the very objects they were.
RANDOM_FUNCTIONS: Final[dict[Any, str]] = {
    getattr(random, name): name
    for name in random.__all__
    if not isinstance(getattr(random, name), type) and hasattr(random.Random, name)
}

#: Parts of modules that are not deterministic as a whole. Some change the process, and must do so in replay, too.
PURE_FUNCTIONS: Final[frozenset[Any]] = frozenset(
    {
        os.fspath,
        os.fsencode,
        os.fsdecode,
        os.strerror,
        os.get_exec_path,
        os.path.normpath,  # of newer Pythons in C, as is the next
        getattr(os.path, "splitroot", os.path.splitdrive),
        os.chdir,
        os.putenv,
        os.umask,
        os.unsetenv,
        type(os.environ).setdefault,
    }
    # What paths compute. All that only pathlib.Path has looks at the disk.
    | {fn for cls in pathlib.PurePath.__mro__ for fn in vars(cls).values() if isinstance(fn, FunctionType)}
)

#: What a class calls of its bases when an object is made. Objects are made again in replay, not recorded.
CONSTRUCTION: Final = frozenset({"__new__", "__init__", "__post_init__", "__init_subclass__", "__prepare__"})

#: Functions of which it depends on the object what becomes of them as its methods.
OF_THEIR_OBJECT: Final[frozenset[Any]] = frozenset(
    {fn.__func__ for fn in (*NOTES, *RANDOM_FUNCTIONS) if isinstance(fn, MethodType)}
    | {fn for cls in (random.Random, random.SystemRandom) for fn in vars(cls).values() if isinstance(fn, FunctionType)}
)

#: The same of methods in C, by class and name.
OF_THEIR_OBJECT_IN_C: Final = frozenset(
    (type(fn.__self__), fn.__name__) for fn in (*NOTES, *RANDOM_FUNCTIONS) if isinstance(fn, BuiltinFunctionType)
)

#: Direct functions that call what they are given as their first argument.
HIGHER_ORDER: Final = (builtins.map, builtins.filter, functools.reduce, itertools.starmap)

#: Types whose bound methods are always direct: the quick way for `xs.append` and the like.
BUILTIN_TYPES: Final = frozenset(
    cls for cls in vars(builtins).values() if isinstance(cls, type) and not issubclass(cls, BaseException)
)


def is_deterministic(module: str) -> bool:
    """Whether a module, or the package it is in, stands in `MODULES`."""
    while module:
        if module in MODULES:
            return True
        module = module.rpartition(".")[0]
    return False
