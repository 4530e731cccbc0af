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

_BOUND = (types.MethodType, types.BuiltinFunctionType, types.MethodWrapperType)
_NAMED = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)
_DESCRIPTORS = (types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType)


def classify(fn: Any, local_files: Container[str], no_activity: Container[Any]) -> Decision:
    """Decide for one callable; first match wins, in the order of the design (4.1). Never calls user code.

    `local_files` are the `co_filename`s of the project, `no_activity` what `register_no_activity` was given.
    """
    # By type throughout: isinstance would ask the object, and proxies and mocks say that they are something else.
    cls = type(fn)
    marked = _marked(fn)
    if marked is not None:
        return marked
    if _is_registered(fn, no_activity):
        return DIRECT
    if cls is types.FunctionType:
        return _function(fn, fn, local_files)
    if cls is types.MethodType:
        return _method(fn, local_files, no_activity)
    if issubclass(cls, type):
        return _class(fn, local_files)
    if issubclass(cls, types.BuiltinFunctionType):  # those that want to know their class are of a type of their own
        return _builtin(fn)
    if cls is types.MethodWrapperType:
        return _method_in_c(type(fn.__self__), fn.__name__, qualified_name(fn))
    if cls in _DESCRIPTORS:
        return _method_in_c(fn.__objclass__, fn.__name__, qualified_name(fn))
    if issubclass(cls, functools.partial):
        return classify(fn.func, local_files, no_activity)
    return _instance(fn, local_files, no_activity)


def _marked(fn: Any) -> Decision | None:
    target = fn.__func__ if type(fn) is types.MethodType else fn
    try:
        # AttrDict, mocks and proxies answer for any attribute: only the real marks count.
        namespace = object.__getattribute__(target, "__dict__")
    except Exception:  # has none, or a property of that name
        return None
    if not isinstance(namespace, dict | types.MappingProxyType):
        return None
    options = namespace.get("__ak_activity__")
    if isinstance(options, ActivityOptions):
        return Decision(Kind.ACTIVITY, options.name or qualified_name(fn), options, _is_async(fn))
    if namespace.get("__ak_inhibit__") is True:
        return Decision(Kind.INHIBIT, qualified_name(fn))
    return None


def _is_registered(fn: Any, no_activity: Container[Any]) -> bool:
    if _is_in(fn, no_activity):
        return True
    if type(fn) is types.MethodType and _is_in(fn.__func__, no_activity):
        return True
    owner = fn.__self__ if issubclass(type(fn), _BOUND) else fn
    cls = owner if issubclass(type(owner), type) else type(owner)
    return any(_is_in(base, no_activity) for base in cls.__mro__)


def _is_in(item: Any, items: Container[Any]) -> bool:
    try:
        return item in items
    except Exception:  # not hashable
        return False


def _function(fn: types.FunctionType, shown: Any, local_files: Container[str]) -> Decision:
    if fn.__code__.co_filename in local_files:
        return _DIRECT_CODE
    if fn in tables.RANDOM_FUNCTIONS:
        return Decision(Kind.RANDOM, tables.RANDOM_FUNCTIONS[fn])
    name, own_name = qualified_name(shown), qualified_name(fn)
    if fn in tables.NOTES or own_name in tables.NOTE_NAMES:
        return Decision(Kind.NOTE, name)
    if own_name in tables.THREADS:
        return Decision(Kind.REFUSED, own_name)
    if fn in tables.ACTIVITIES or own_name in tables.ACTIVITY_NAMES:
        return Decision(Kind.ACTIVITY, name)
    if own_name == "asyncio.threads.to_thread":
        return Decision(Kind.ACTIVITY, name, is_async=True)
    if fn.__name__ in tables.CONSTRUCTION:
        return _DIRECT_CODE
    # Not fn.__module__: functools.wraps sets that to the module of what is wrapped.
    if fn in tables.PURE_FUNCTIONS or tables.is_deterministic(fn.__globals__.get("__name__", "")):
        return DIRECT if fn in tables.OF_THEIR_OBJECT else _DIRECT_CODE
    return Decision(Kind.ACTIVITY, name, is_async=_is_async(fn))


def _method(fn: types.MethodType, local_files: Container[str], no_activity: Container[Any]) -> Decision:
    owner, func = fn.__self__, fn.__func__
    if _is_in(fn, tables.RANDOM_FUNCTIONS):
        return Decision(Kind.RANDOM, tables.RANDOM_FUNCTIONS[fn])
    if _is_in(fn, tables.NOTES) or type(owner) in tables.NOTE_TYPES:
        return Decision(Kind.NOTE, qualified_name(fn))
    if type(func) is not types.FunctionType:
        return classify(func, local_files, no_activity)
    if func.__code__.co_filename in local_files:
        return _DIRECT_CODE
    return _function(func, fn, local_files)


def _class(cls: type, local_files: Container[str]) -> Decision:
    name = qualified_name(cls)
    if name in tables.THREADS:
        return Decision(Kind.REFUSED, name)
    if _is_in(cls, tables.ACTIVITIES):
        return Decision(Kind.ACTIVITY, name)
    if cls is random.Random:
        return Decision(Kind.RANDOM, "Random")
    if issubclass(cls, BaseException | pathlib.PurePath | Enum):
        return DIRECT
    if tables.is_deterministic(cls.__module__) or _is_local_module(cls.__module__, local_files):
        return DIRECT
    return Decision(Kind.ACTIVITY, name)


def _builtin(fn: types.BuiltinFunctionType) -> Decision:
    owner = fn.__self__
    if _is_in(fn, tables.RANDOM_FUNCTIONS):
        return Decision(Kind.RANDOM, tables.RANDOM_FUNCTIONS[fn])
    if fn in tables.NOTES or _is_note_classmethod(fn) or type(owner) in tables.NOTE_TYPES:
        return Decision(Kind.NOTE, qualified_name(fn))
    if fn in tables.PURE_FUNCTIONS:
        return DIRECT
    name = qualified_name(fn)
    if fn in tables.ACTIVITIES:
        return Decision(Kind.ACTIVITY, name)
    if name in tables.THREADS:
        return Decision(Kind.REFUSED, name)
    if owner is not None and type(owner) is not types.ModuleType:
        return _method_in_c(owner if isinstance(owner, type) else type(owner), fn.__name__, name)
    module = fn.__module__ or getattr(owner, "__name__", "")
    return DIRECT if tables.is_deterministic(module) else Decision(Kind.ACTIVITY, name)


def _is_note_classmethod(fn: types.BuiltinFunctionType) -> bool:
    owner = fn.__self__
    return isinstance(owner, type) and any(
        issubclass(owner, cls) and fn.__name__ in names for cls, names in tables.NOTE_CLASSMETHODS.items()
    )


def _method_in_c(cls: type, method: str, shown: str) -> Decision:
    # What counts is which class it comes from: a class that the project derives from dict has dict's methods.
    definer = next((base for base in cls.__mro__ if method in vars(base)), cls)
    reaches_outside = any(_is_in(base, tables.ACTIVITIES) for base in cls.__mro__)
    if method in tables.CONSTRUCTION or (tables.is_deterministic(definer.__module__) and not reaches_outside):
        return DIRECT
    return Decision(Kind.ACTIVITY, shown)


def _is_local_module(name: str, local_files: Container[str]) -> bool:
    return getattr(sys.modules.get(name), "__file__", None) in local_files


def _instance(fn: Any, local_files: Container[str], no_activity: Container[Any]) -> Decision:
    """An object with `__call__`, or something that can't be called: Python's own error will say so."""
    cls = type(fn)
    if cls.__module__ == "functools" and hasattr(fn, "__wrapped__"):  # lru_cache
        return classify(fn.__wrapped__, local_files, no_activity)
    if cls is types.GenericAlias or cls.__module__ == "typing":
        origin = getattr(fn, "__origin__", None)
        return classify(origin, local_files, no_activity) if isinstance(origin, type) else DIRECT
    call = next((vars(base)["__call__"] for base in cls.__mro__ if "__call__" in vars(base)), None)
    if call is None:
        return DIRECT
    marked = _marked(call)
    if marked is not None:
        return marked
    if type(call) is types.FunctionType:
        return _function(call, fn, local_files)
    return _method_in_c(cls, "__call__", qualified_name(fn))


#: Modules in C, and the names by which people know what is in them.
_KNOWN_AS = {"posix": "os", "_io": "io"}


def qualified_name(fn: Any) -> str:
    """The name under which a callable stands in journals: `requests.sessions.Session.get`, say."""
    if issubclass(type(fn), _BOUND) and fn.__self__ is not None and type(fn.__self__) is not types.ModuleType:
        owner = fn.__self__
        cls = owner if issubclass(type(owner), type) else type(owner)
        method = getattr(fn, "__name__", "__call__")  # a method made of an object with __call__ has none
        return f"{cls.__module__}.{cls.__qualname__}.{method}".removeprefix("builtins.")
    if type(fn) in _DESCRIPTORS:
        return f"{fn.__objclass__.__module__}.{fn.__qualname__}".removeprefix("builtins.")
    # Other objects may answer to any name.
    named = fn if issubclass(type(fn), (*_NAMED, type)) else type(fn)
    module = named.__module__ or "builtins"
    if module == "builtins" or vars(builtins).get(named.__qualname__) is fn:
        return str(named.__qualname__)
    return f"{_KNOWN_AS.get(module, module)}.{named.__qualname__}"


def _is_async(fn: Callable[..., Any]) -> bool:
    if issubclass(type(fn), _NAMED):
        return inspect.iscoroutinefunction(fn)
    return inspect.iscoroutinefunction(getattr(type(fn), "__call__", None))
