"""What becomes of calls of all kinds of callables."""

import asyncio
import bz2
import collections
import concurrent.futures
import configparser
import copy
import dataclasses
import datetime
import decimal
import email.message
import email.utils
import enum
import functools
import gzip
import hashlib
import http
import importlib
import importlib.util
import inspect
import io
import itertools
import json
import logging
import math
import mimetypes
import multiprocessing
import operator
import os
import pathlib
import pkgutil
import random
import re
import secrets
import shutil
import socket
import string
import subprocess
import sys
import tempfile
import threading
import time
import types
import typing
import urllib.parse
import urllib.request
import uuid
import xml.dom.minidom
import xml.etree.ElementTree
import zlib
import zoneinfo
from typing import Any
from unittest.mock import MagicMock, Mock

import httpx
import openai
import pytest
import requests

import autokitteh
from autokitteh import AttrDict, activity, inhibit_activities
from autokitteh_runner import deterministic as tables
from autokitteh_runner.classify import Kind, classify, qualified_name

LOCAL = {__file__}
NOT_LOCAL: set[str] = set()


class Local:
    """A class of the project."""

    def method(self) -> None: ...

    @classmethod
    def on_class(cls) -> None: ...

    @staticmethod
    def on_nothing() -> None: ...

    def __call__(self) -> None: ...

    @activity
    def marked(self) -> None: ...


class MarkedCall:
    """Calls of its objects are activities."""

    @activity(name="marked call")
    def __call__(self) -> None: ...


class LocalDict(dict[str, Any]):
    """A dict of the project."""


class LocalError(requests.HTTPError):
    """An exception of the project."""

    def __init__(self) -> None:
        super().__init__()


class LocalSession(requests.Session):
    """A class of the project, of a base that is not."""


class LocalDate(datetime.datetime):
    """A datetime of the project."""


class LocalRandom(random.Random):
    """A generator of the project."""


class LocalThread(threading.Thread):
    """A thread of the project."""


class Colour(enum.Enum):
    RED = 1


class Point(typing.NamedTuple):
    x: int


@dataclasses.dataclass
class Unhashable:
    """Has `__eq__` and so no hash."""

    x: int = 1

    def __call__(self) -> None: ...


class UnhashableClass(type):
    """Classes of this can't be hashed."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(cls, other: object) -> bool:
        return False


class Hostile:
    """Raises for each attribute."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class Proxy:
    """Says that it is a function."""

    __class__ = types.FunctionType  # type: ignore[assignment]

    def __call__(self) -> None: ...


Item = typing.TypeVar("Item")


class Box(typing.Generic[Item]):
    """A generic class of the project."""


def function() -> None: ...


async def coroutine_function() -> None: ...


@activity(name="shown", retries=1)
def marked() -> None: ...


@inhibit_activities
def inhibiting() -> None: ...


@functools.lru_cache
def cached() -> None: ...


@functools.singledispatch
def dispatched(value: Any) -> None: ...


@functools.wraps(requests.get)
def wrapping() -> None: ...


def kind_of(fn: Any) -> str:
    return classify(fn, LOCAL, frozenset()).kind.name


DIRECT: list[Any] = [
    # built in
    *(len, print, range, map, sorted, isinstance, super, type, int, dict, bytes, Exception, KeyError, object),
    *([].append, {}.get, "".join, b"".decode, (1).bit_length, {1}.add, int.from_bytes, dict.fromkeys, str.upper),
    *([].__len__, list.append, object.__init__, "".__add__, None.__class__),
    # of the project
    *(function, coroutine_function, wrapping, cached, dispatched, cached.cache_info, lambda: 0, Local),
    *(Local().method, Local.method, Local.on_class, Local.on_nothing, Local(), LocalDict().get, LocalDict().update),
    *(LocalDict, LocalDict().__len__, LocalError, LocalSession, LocalDate, LocalDate(1, 2, 3).isoformat, Colour),
    *(Point, Point(1).count, Unhashable, Unhashable(), functools.partial(function)),
    *(functools.partial(functools.partial(function)), Box, Box[int], Proxy(), LocalThread, LocalRandom),
    *(LocalDate.fromisoformat, LocalDate(1, 2, 3).replace),
    # made again in replay, and not recorded
    *(requests.Session.__init__, super(LocalSession, LocalSession()).__init__),
    super(LocalError, LocalError()).__init__,
    # computes
    *(json.dumps, json.loads, re.compile, re.compile("a").sub, re.sub, math.sqrt, copy.deepcopy, zlib.compress),
    *(hashlib.md5, hashlib.sha256().update, itertools.chain, itertools.count().__next__, functools.reduce),
    *(string.Template("").substitute, operator.add, operator.itemgetter(1), operator.attrgetter("a")),
    *(collections.Counter, collections.deque().append, collections.OrderedDict().move_to_end),
    *(collections.defaultdict, collections.namedtuple, decimal.Decimal, uuid.UUID, uuid.uuid5, uuid.uuid3),
    *(datetime.datetime, datetime.timedelta, datetime.datetime(1, 2, 3).strftime, datetime.date),
    *(datetime.datetime.fromisoformat, datetime.datetime.strptime, datetime.datetime(1, 2, 3).astimezone),
    *(time.mktime, time.strptime, time.struct_time, zoneinfo.ZoneInfo, urllib.parse.urlparse, urllib.parse.quote),
    *(io.StringIO, io.BytesIO, io.StringIO().write, io.BytesIO().read, logging.getLogger),
    *(logging.getLogger("x").info, http.HTTPStatus, typing.cast, typing.NewType("Id", int), list[int]),
    *(dict[str, int], typing.List[int], dataclasses.asdict, dataclasses.replace, types.SimpleNamespace, enum.auto),  # noqa: UP006
    *(functools.partial(len), functools.lru_cache(len), functools.cached_property, importlib.import_module),
    *(email.message.EmailMessage, email.message.EmailMessage().set_content, copy.copy, bz2.compress),
    *(email.utils.parseaddr, configparser.ConfigParser, configparser.ConfigParser().get),
    *(xml.etree.ElementTree.fromstring, xml.etree.ElementTree.tostring, xml.etree.ElementTree.Element),
    *(random.Random(1).random, random.Random(1).choice, random.Random(1).shuffle, LocalRandom(1).random),
    *(secrets.compare_digest, secrets.SystemRandom, threading.Lock, requests.HTTPError, httpx.ConnectError),
    *(openai.RateLimitError, sys.exit, sys.getsizeof, gzip.decompress),
    # paths that only compute
    *(pathlib.Path, pathlib.PurePath, pathlib.Path("a").with_suffix, pathlib.Path("a").joinpath),
    *(pathlib.Path("a").is_absolute, os.path.join, os.path.basename, os.path.splitext, os.path.normpath, os.fspath),
    *(os.fsencode,),
    # changes the process, and must do so again
    *(os.chdir, os.putenv, os.environ.setdefault, os.environ.update, os.environ.pop),
    # views, which cannot be recorded
    *(os.environ.items, os.environ.keys, os.environ.values),
    # the event loop and the SDK
    *(asyncio.gather, asyncio.create_task, asyncio.wait, asyncio.Queue, asyncio.Queue().put_nowait, asyncio.Event),
    *(asyncio.timeout, asyncio.current_task, asyncio.wait_for, autokitteh.next_event, AttrDict, AttrDict().get),
    # can't be called
    *(None, 1, "text", [], AttrDict(a=1), Hostile(), object()),
]

ACTIVITIES: list[Any] = [
    *(requests.get, requests.Session, requests.Session().get, requests.Session.get, LocalSession().get, httpx.get),
    *(httpx.Client, httpx.AsyncClient.get, openai.OpenAI, functools.partial(requests.get, "x")),
    *(functools.lru_cache(requests.get), open, input, io.open, io.FileIO, bz2.open, gzip.open, io.TextIOWrapper),
    *(sys.__stdout__.write, sys.__stdout__.writelines, sys.__stdout__.buffer.write, sys.__stdout__.fileno),
    *(os.listdir, os.remove, os.system, os.stat, os.getlogin, os.walk, os.kill, os.path.exists, os.path.isfile),
    *(os.path.getsize, os.path.realpath, os.path.sameopenfile, pathlib.Path("a").exists),
    *(pathlib.Path("a").read_text, pathlib.Path("a").mkdir, pathlib.Path("a").resolve, pathlib.Path("a").iterdir),
    *(pathlib.Path.exists, subprocess.run, subprocess.Popen, shutil.copy, shutil.which, tempfile.mkdtemp),
    *(tempfile.NamedTemporaryFile, socket.socket, socket.gethostname, urllib.request.urlopen),
    *(urllib.request.Request, time.sleep, asyncio.to_thread, configparser.ConfigParser().read),
    *(configparser.RawConfigParser.read, mimetypes.read_mime_types, email.message.EmailMessage().as_string),
    *(email.message.EmailMessage().as_bytes, email.message.Message().as_string, xml.etree.ElementTree.parse),
    *(xml.etree.ElementTree.iterparse, xml.etree.ElementTree.ElementTree().write, xml.dom.minidom.parse),
    *(MagicMock(), Mock(spec=function), Mock(), shutil.rmtree),
]  # fmt: skip

NOTES: list[Any] = [
    *(time.time, time.time_ns, time.monotonic, time.perf_counter, time.localtime, time.gmtime, time.strftime),
    *(time.clock_gettime, datetime.datetime.now, datetime.datetime.utcnow, datetime.datetime.today),
    *(datetime.date.today, LocalDate.now, LocalDate.today, uuid.uuid1, uuid.uuid4, os.urandom, os.getenv),
    *(os.getpid, os.getcwd, os.environ.get, os.environ.copy, secrets.token_hex, secrets.choice),
    *(secrets.randbelow, secrets.token_urlsafe, random.SystemRandom().random, random.SystemRandom().choice),
    *(random.SystemRandom().getrandbits, id, threading.get_ident, threading.get_native_id, pathlib.Path.cwd),
    *(pathlib.Path.home, pathlib.PosixPath.cwd, pathlib.Path("a").absolute, pathlib.Path("a").expanduser),
    *(os.path.abspath, os.path.expanduser, os.path.relpath, email.utils.formatdate, email.utils.make_msgid),
    *(email.utils.localtime, gzip.compress, mimetypes.guess_type, mimetypes.guess_extension),
    *(zoneinfo.available_timezones,),
]

RANDOM: list[Any] = [
    *(random.random, random.choice, random.shuffle, random.randint, random.seed, random.Random, random.gauss),
]

REFUSED: list[Any] = [
    *(threading.Thread, threading.Timer, LocalThread().start, threading.Thread.start),
    *(concurrent.futures.ThreadPoolExecutor, concurrent.futures.ProcessPoolExecutor, multiprocessing.Process),
    *(multiprocessing.Process().start,),
]

TABLE = [
    *((fn, "DIRECT") for fn in DIRECT),
    *((fn, "ACTIVITY") for fn in ACTIVITIES),
    *((fn, "NOTE") for fn in NOTES),
    *((fn, "RANDOM") for fn in RANDOM),
    *((fn, "REFUSED") for fn in REFUSED),
]


@pytest.mark.parametrize("number", range(len(TABLE)))
def test_kinds(number: int) -> None:
    """Each callable is what it should be, and being asked does not upset it."""
    fn, kind = TABLE[number]
    assert kind_of(fn) == kind


@pytest.mark.parametrize(
    ("fn", "name"),
    [
        (len, "len"),
        (open, "open"),
        (io.FileIO, "io.FileIO"),
        (os.listdir, "os.listdir"),
        ([].append, "list.append"),
        (str.upper, "str.upper"),
        (requests.get, "requests.api.get"),
        (requests.Session, "requests.sessions.Session"),
        (requests.Session().get, "requests.sessions.Session.get"),
        (LocalSession().get, f"{__name__}.LocalSession.get"),
        (datetime.datetime.now, "datetime.datetime.now"),
        (os.environ.get, "os._Environ.get"),
        (uuid.uuid4, "uuid.uuid4"),
        (shutil.copy, "shutil.copy"),
        (Local(), f"{__name__}.Local"),
        (AttrDict(a=1), "autokitteh.attr_dict.AttrDict"),
        (types.MethodType(functools.partial(print), 1), "int.__call__"),
    ],
)  # fmt: skip
def test_names(fn: Any, name: str) -> None:
    """Names are those under which people know things."""
    assert qualified_name(fn).replace("autokitteh._attr_dict", "autokitteh.attr_dict") == name


@pytest.mark.parametrize(
    ("fn", "name"),
    [(marked, "shown"), (Local().marked, f"{__name__}.Local.marked"), (MarkedCall(), "marked call")],
)
def test_marks(fn: Any, name: str) -> None:
    """What is marked is an activity with its options, on functions, methods and objects."""
    for wrapped in (fn, functools.partial(fn), functools.lru_cache(fn) if fn is marked else fn):
        decision = classify(wrapped, LOCAL, frozenset())
        assert (decision.kind, decision.name) == (Kind.ACTIVITY, name)
        assert decision.options is not None


def test_marked_local_functions_come_first() -> None:
    """A mark counts more than where a function is; inhibiting is a mark of its own."""
    assert kind_of(inhibiting) == "INHIBIT"
    assert classify(marked, LOCAL, {marked}).kind is Kind.ACTIVITY


@pytest.mark.parametrize(
    ("registered", "fn"),
    [
        (requests.get, requests.get),
        (requests.Session, requests.Session),
        (requests.Session, requests.Session().get),
        (requests.Session, LocalSession().get),
        (requests.Session.get, requests.Session().get),
        (requests.Session.get, requests.Session.get),
        (httpx.Client, httpx.Client),
        (urllib.request.Request, urllib.request.Request("http://x").get_method),
        (httpx.URL, httpx.URL("http://x").copy_with),
        (email.message.Message, email.message.EmailMessage().as_string),
    ],
)
def test_register_no_activity(registered: Any, fn: Any) -> None:
    """Functions, methods, classes and all methods of their objects can be registered as direct."""
    assert kind_of(fn) == "ACTIVITY"
    assert classify(fn, LOCAL, {registered}).kind is Kind.DIRECT


def test_registering_one_thing_registers_no_other() -> None:
    """Neighbours of what is registered stay what they were, and what can't be hashed is no obstacle."""
    registered = {requests.get, requests.Session.get, LocalSession}
    for fn in (requests.post, requests.Session().post, requests.Session, httpx.get):
        assert classify(fn, LOCAL, registered).kind is Kind.ACTIVITY
    assert classify(Unhashable(), LOCAL, registered).kind is Kind.DIRECT
    assert classify(LocalSession().post, LOCAL, registered).kind is Kind.DIRECT


def test_classes_that_cannot_be_hashed() -> None:
    """A class whose metaclass took its hash is classified like others."""
    made = UnhashableClass("Made", (), {"__module__": __name__})
    assert kind_of(made) == "DIRECT"
    assert classify(made, NOT_LOCAL, frozenset()).kind is Kind.ACTIVITY


def test_project_files_decide() -> None:
    """The same functions and classes are activities where their file is not the project's."""
    for fn in (function, lambda: 0, Local, Local().method, Local.on_nothing, Local(), wrapping, cached):
        assert classify(fn, LOCAL, frozenset()).kind is Kind.DIRECT
        assert classify(fn, NOT_LOCAL, frozenset()).kind is Kind.ACTIVITY


def test_coroutine_functions_are_known() -> None:
    """Whether a call gives a coroutine is known before it is made."""
    for fn in (coroutine_function, httpx.AsyncClient().get, asyncio.to_thread):
        assert classify(fn, NOT_LOCAL, frozenset()).is_async
    for fn in (function, httpx.get):
        assert not classify(fn, NOT_LOCAL, frozenset()).is_async


@pytest.mark.parametrize(
    "fn",
    [
        os.environ.get,
        random.SystemRandom().choice,
        random.SystemRandom().shuffle,
        random.choice,
        pathlib.Path("a").exists,
    ],
)
def test_what_depends_on_the_object_is_not_said_of_the_function(fn: Any) -> None:
    """A function that is direct for one object and not for another must not be remembered as direct."""
    decision = classify(fn.__func__, LOCAL, frozenset())
    assert not (decision.kind is Kind.DIRECT and decision.is_code)


def test_direct_code_depends_on_the_function_alone() -> None:
    """What may be remembered for a function is the same for its methods of any object."""
    for fn in (Local().method, json.JSONEncoder().encode, json.JSONDecoder().decode):
        assert classify(fn, LOCAL, frozenset()).is_code
        assert classify(fn.__func__, LOCAL, frozenset()).is_code


@pytest.mark.parametrize(
    "name",
    sorted((tables.ACTIVITY_NAMES | tables.NOTE_NAMES) - {"mimetypes.guess_file_type"}),  # that is new in 3.13
)
def test_names_in_tables_exist(name: str) -> None:
    """Tables of names have no misspelt ones: each is the qualified name of a function."""
    assert qualified_name(pkgutil.resolve_name(name)) == name


def test_modules_in_tables_exist() -> None:
    """Modules that are said to be deterministic are modules of some version of Python."""
    known = set(sys.stdlib_module_names) | {"autokitteh", "autokitteh_runner", "typing_extensions"}
    of_other_versions = {"_sha256", "_sha512", "_sha2", "_pydatetime", "_hmac"}
    assert {name.partition(".")[0] for name in tables.MODULES} - known <= of_other_versions


def test_threads_in_tables_exist() -> None:
    """So are classes that start threads."""
    for name in tables.THREADS:
        module, _, attribute = name.removesuffix(".start").rpartition(".")
        assert hasattr(importlib.import_module(module), attribute) or attribute == "_thread"


#: How a function of Python's library looks that reaches outside.
_REACHES_OUTSIDE = re.compile(
    r"\b(open|_time\.\w+|time\.\w+|socket|getpid|urandom|subprocess|os\.(?!path|environ|fs|sep)\w+)\("
)

#: Direct all the same: tools for the command line; what is asked for by a project's own code and files; what only
#: matters to who calls it with an open file.
_ALLOWED = set(
    """
    argparse.ArgumentParser._read_args_from_files argparse.FileType.__call__ ast.main base64.main base64.test
    bz2.BZ2File.__init__ calendar.main contextlib.chdir.__enter__ contextlib.chdir.__exit__ dis.main gc.main
    gettext.Catalog gettext.translation gzip.GzipFile.__init__ gzip.GzipFile._write_gzip_header
    gzip._create_simple_gzip_header gzip.main hashlib.file_digest json.tool.main logging.FileHandler.__init__
    logging.FileHandler._open logging.Formatter.formatTime logging.LogRecord.__init__ lzma.LZMAFile.__init__
    mimetypes.MimeTypes.read optparse.Values.read_file pprint._perfcheck queue.Queue.get queue.Queue.join
    queue.Queue.put quopri.main random.SystemRandom.getrandbits random.SystemRandom.randbytes
    random.SystemRandom.random shlex.shlex.sourcehook threading.Condition.wait_for threading.Thread.start
    threading._RLock.acquire tokenize.main zipimport.main
    """.split()  # noqa: SIM905
)


@pytest.mark.slow
def test_no_module_in_tables_reaches_outside() -> None:
    """By their sources, functions that are direct open no files and read no clocks and none of the system's chance."""
    found = set()
    for name in tables.MODULES - {"autokitteh", "autokitteh_runner", "asyncio", "importlib", "sys", "time"}:
        if name.startswith("_") or importlib.util.find_spec(name) is None:
            continue
        module = importlib.import_module(name)
        for owner in [
            module,
            *(cls for cls in vars(module).values() if isinstance(cls, type) and cls.__module__ == name),
        ]:
            for fn in vars(owner).values():
                if isinstance(fn, types.FunctionType) and fn.__module__ == name and kind_of(fn) == "DIRECT":
                    try:
                        source = inspect.getsource(fn)
                    except OSError:  # made by exec, as a dataclass's are
                        continue
                    if _REACHES_OUTSIDE.search(re.sub(r'""".*?"""', "", source, flags=re.DOTALL)):
                        found.add(f"{name}.{fn.__qualname__}")
    assert found - _ALLOWED == set()
