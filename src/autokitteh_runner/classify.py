"""What becomes of a call in workflow code. A pure function of the callable and of which files are the project's."""

import builtins
import functools
import inspect
import pathlib
import random
import sys
import types
from collections.abc import Callable, Container
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from autokitteh.activities import ActivityOptions
from autokitteh_runner import deterministic as tables


class Kind(Enum):
    DIRECT = auto()
    ACTIVITY = auto()
    NOTE = auto()
    INHIBIT = auto()  # direct, and all calls in it too
    RANDOM = auto()  # a function of `random`: use the session's generator
    REFUSED = auto()  # threads


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of calls of one callable."""

    kind: Kind
    name: str = ""  # qualified, for the journal
    options: ActivityOptions | None = None
    is_async: bool = False  # known to return a coroutine
    is_code: bool = False  # depends on the function alone, so it may be cached by it


DIRECT = Decision(Kind.DIRECT)
_DIRECT_CODE = Decision(Kind.DIRECT, is_code=True)


def classify(fn: Any, local_files: Container[str], no_activity: Container[Any]) -> Decision:
    """Decide for one callable; first match wins, in the order of the design (4.1). Never calls user code.

    `local_files` are the `co_filename`s of the project, `no_activity` what `register_no_activity` was given.
    """
    marked = _marked(fn)
    if marked is not None:
        return marked
    if _is_in(fn, no_activity):
        return DIRECT
    if isinstance(fn, types.FunctionType):
        return _function(fn, fn, local_files)
    if isinstance(fn, types.MethodType):
        return _method(fn, local_files, no_activity)
    if isinstance(fn, type):
        return _class(fn, local_files)
    if isinstance(fn, types.BuiltinFunctionType):
        return _builtin(fn)
    if isinstance(fn, types.MethodWrapperType):
        return _of_type(type(fn.__self__), fn.__name__, local_files)
    if isinstance(fn, types.WrapperDescriptorType | types.MethodDescriptorType | types.ClassMethodDescriptorType):
        return _of_type(fn.__objclass__, fn.__name__, local_files)
    if isinstance(fn, functools.partial):
        return classify(fn.func, local_files, no_activity)
    return _instance(fn, local_files, no_activity)


def _marked(fn: Any) -> Decision | None:
    # AttrDict, mocks and proxies answer for any attribute: only the real marks count.
    namespace = getattr(fn, "__dict__", None)
    if isinstance(fn, types.MethodType):
        namespace = getattr(fn.__func__, "__dict__", None)
    if isinstance(namespace, dict | types.MappingProxyType):
        options = namespace.get("__ak_activity__")
        if isinstance(options, ActivityOptions):
            return Decision(Kind.ACTIVITY, options.name or qualified_name(fn), options, _is_async(fn))
        if namespace.get("__ak_inhibit__") is True:
            return Decision(Kind.INHIBIT, qualified_name(fn))
    return None


def _is_in(fn: Any, items: Container[Any]) -> bool:
    try:
        return fn in items or getattr(fn, "__func__", None) in items or type(getattr(fn, "__self__", None)) in items
    except TypeError:  # not hashable
        return False


def _function(fn: types.FunctionType, shown: Any, local_files: Container[str]) -> Decision:
    if fn.__code__.co_filename in local_files:
        return _DIRECT_CODE
    if fn in tables.RANDOM_FUNCTIONS:
        return Decision(Kind.RANDOM, tables.RANDOM_FUNCTIONS[fn])
    if fn in tables.NOTES:
        return Decision(Kind.NOTE, qualified_name(shown))
    # Not fn.__module__: functools.wraps sets that to the module of what is wrapped.
    module = fn.__globals__.get("__name__", "")
    name = qualified_name(shown)
    if name in tables.THREADS:
        return Decision(Kind.REFUSED, name)
    if fn in tables.ACTIVITIES:
        return Decision(Kind.ACTIVITY, name)
    if fn in tables.PURE_FUNCTIONS or tables.is_deterministic(module):
        if name == "asyncio.threads.to_thread":
            return Decision(Kind.ACTIVITY, name, is_async=True)
        return _DIRECT_CODE
    return Decision(Kind.ACTIVITY, name, is_async=_is_async(fn))


def _method(fn: types.MethodType, local_files: Container[str], no_activity: Container[Any]) -> Decision:
    owner, func = fn.__self__, fn.__func__
    if fn in tables.RANDOM_FUNCTIONS:
        return Decision(Kind.RANDOM, tables.RANDOM_FUNCTIONS[fn])
    if fn in tables.NOTES or type(owner) in tables.NOTE_TYPES:
        return Decision(Kind.NOTE, qualified_name(fn))
    if isinstance(owner, pathlib.PurePath) and func.__name__ in tables.PURE_PATH_METHODS:
        return DIRECT
    if isinstance(owner, random.Random):  # its own numbers: not by the function, which SystemRandom inherits
        return DIRECT
    if isinstance(func, types.FunctionType):
        return _function(func, fn, local_files)
    return classify(func, local_files, no_activity)


def _class(cls: type, local_files: Container[str]) -> Decision:
    name = qualified_name(cls)
    if name in tables.THREADS:
        return Decision(Kind.REFUSED, name)
    if cls in tables.ACTIVITIES:
        return Decision(Kind.ACTIVITY, name)
    if cls is random.Random:
        return Decision(Kind.RANDOM, "Random")
    if issubclass(cls, BaseException | pathlib.PurePath) or _is_pure_type(cls, local_files):
        return DIRECT
    return Decision(Kind.ACTIVITY, name)


def _builtin(fn: types.BuiltinFunctionType) -> Decision:
    owner = fn.__self__
    if fn in tables.RANDOM_FUNCTIONS:
        return Decision(Kind.RANDOM, tables.RANDOM_FUNCTIONS[fn])
    if fn in tables.NOTES or _is_note_classmethod(fn):
        return Decision(Kind.NOTE, qualified_name(fn))
    if fn in tables.ACTIVITIES:
        return Decision(Kind.ACTIVITY, qualified_name(fn))
    if fn in tables.PURE_FUNCTIONS:
        return DIRECT
    if owner is None or isinstance(owner, types.ModuleType):
        module = fn.__module__ or getattr(owner, "__name__", "")
    else:
        cls = owner if isinstance(owner, type) else type(owner)
        if cls in tables.ACTIVITIES:
            return Decision(Kind.ACTIVITY, qualified_name(fn))
        module = cls.__module__
    name = qualified_name(fn)
    if name in tables.THREADS:
        return Decision(Kind.REFUSED, name)
    return DIRECT if tables.is_deterministic(module) else Decision(Kind.ACTIVITY, name)


def _is_note_classmethod(fn: types.BuiltinFunctionType) -> bool:
    owner = fn.__self__
    return isinstance(owner, type) and any(
        issubclass(owner, cls) and fn.__name__ in names for cls, names in tables.NOTE_CLASSMETHODS.items()
    )


def _of_type(cls: type, method: str, local_files: Container[str]) -> Decision:
    if _is_pure_type(cls, local_files):
        return DIRECT
    return Decision(Kind.ACTIVITY, f"{cls.__module__}.{cls.__qualname__}.{method}")


def _is_pure_type(cls: type, local_files: Container[str]) -> bool:
    return tables.is_deterministic(cls.__module__) or _is_local_module(cls.__module__, local_files)


def _is_local_module(name: str, local_files: Container[str]) -> bool:
    return getattr(sys.modules.get(name), "__file__", None) in local_files


def _instance(fn: Any, local_files: Container[str], no_activity: Container[Any]) -> Decision:
    """An object with `__call__`, or something that can't be called: Python's own error will say so."""
    cls = type(fn)
    wrapped = getattr(fn, "__wrapped__", None) if cls.__module__ == "functools" else None
    if wrapped is not None:  # lru_cache, singledispatch
        return classify(wrapped, local_files, no_activity)
    call = getattr(cls, "__call__", None)
    if call is None:
        return DIRECT
    if isinstance(fn, types.GenericAlias):
        return classify(fn.__origin__, local_files, no_activity)
    if isinstance(call, types.FunctionType):
        return _function(call, fn, local_files)
    return _of_type(cls, "__call__", local_files)


#: Modules in C, and the names by which people know what is in them.
_KNOWN_AS = {"posix": "os", "_io": "io"}


def qualified_name(fn: Any) -> str:
    """The name under which a callable stands in journals: `requests.sessions.Session.get`, say."""
    owner = getattr(fn, "__self__", None)
    if owner is None or isinstance(owner, types.ModuleType):
        named = fn if hasattr(fn, "__qualname__") else type(fn)
        module = getattr(named, "__module__", None) or "builtins"
        if module == "builtins" or vars(builtins).get(named.__qualname__) is fn:
            return str(named.__qualname__)
        return f"{_KNOWN_AS.get(module, module)}.{named.__qualname__}"
    cls = owner if isinstance(owner, type) else type(owner)
    return f"{cls.__module__}.{cls.__qualname__}.{fn.__name__}".removeprefix("builtins.")


def _is_async(fn: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(getattr(type(fn), "__call__", None))
