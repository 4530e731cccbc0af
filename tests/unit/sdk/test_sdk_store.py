"""Stored values: functions, the mapping, and the name they share with a module."""

import copy
import importlib
import pickle
import sys
from collections.abc import Iterator, MutableMapping
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

import autokitteh
import autokitteh.store
import autokitteh.store as imported_as
from autokitteh import store, testing
from autokitteh._runtime import install
from autokitteh.store import OPERATIONS, get_value
from autokitteh.store import store as from_module

KEYS = st.sampled_from(["a", "b", "c"])
NUMBERS = st.integers() | st.floats(-1e9, 1e9)


@pytest.fixture
def runtime() -> Iterator[testing.MemoryRuntime]:
    with testing.session() as installed:
        yield installed


def test_every_way_to_import_the_store_works(runtime: testing.MemoryRuntime) -> None:
    """The package's attribute is the mapping, the module is importable, and both offer the functions."""
    ways: list[Any] = [autokitteh.store, imported_as, from_module]
    assert all(way is store for way in ways)
    assert isinstance(store, MutableMapping) and not isinstance(store, ModuleType)
    module = importlib.import_module("autokitteh.store")
    assert isinstance(module, ModuleType) and module is sys.modules["autokitteh.store"]
    assert module.get_value is get_value is autokitteh.get_value
    assert vars(autokitteh)["store"] is store, "importing the module again must not replace the mapping"


@pytest.mark.parametrize("name", [name for name in autokitteh.__all__ if "value" in name or "store_" in name])
def test_the_mapping_has_the_functions_of_its_module(name: str) -> None:
    """`import autokitteh.store as m; m.get_value(...)` works, with the same functions."""
    assert getattr(imported_as, name) is getattr(autokitteh, name)
    assert imported_as.OPERATIONS is OPERATIONS


def test_functions(runtime: testing.MemoryRuntime) -> None:
    """Set, get, delete and list, with missing values as None."""
    assert autokitteh.get_value("k") is None
    autokitteh.set_value("k", {"a": (1, b"x")})
    autokitteh.set_value("b", None)
    assert autokitteh.get_value("k") == {"a": [1, b"x"]}
    assert autokitteh.list_values_keys() == ["b", "k"]
    autokitteh.del_value("k")
    autokitteh.del_value("k")
    assert autokitteh.list_values_keys() == ["b"]


def test_values_are_copies(runtime: testing.MemoryRuntime) -> None:
    """Neither what was stored nor what was read is tied to the store."""
    value = {"l": [1]}
    autokitteh.set_value("k", value)
    value["l"].append(2)
    autokitteh.get_value("k")["l"].append(3)
    assert autokitteh.get_value("k") == {"l": [1]}


@given(st.lists(st.integers(), min_size=1, max_size=8))
def test_adding_has_no_upper_bound(numbers: list[int]) -> None:
    """A sum of integers is exact, however large, and a missing value counts as 0."""
    with testing.session():
        for number in numbers:
            total = autokitteh.add_values("n", number << 64)
        assert total == autokitteh.get_value("n") == sum(numbers) << 64


@pytest.mark.parametrize("n", ["1", None, True, [1]])
def test_only_numbers_are_added(runtime: testing.MemoryRuntime, n: Any) -> None:
    """Adding something else is refused, before the store is asked."""
    with pytest.raises(TypeError, match="only a number can be added"):
        autokitteh.add_values("k", n)
    assert runtime.values == {}


@pytest.mark.parametrize("present", ["1", True, [1], {}])
def test_only_to_numbers_is_added(runtime: testing.MemoryRuntime, present: Any) -> None:
    """A value that is no number stays as it is."""
    autokitteh.set_value("k", present)
    with pytest.raises(TypeError, match="nothing can be added to the value of 'k'"):
        autokitteh.add_values("k", 1)
    assert autokitteh.get_value("k") == present


def test_check_and_set(runtime: testing.MemoryRuntime) -> None:
    """The value changes only if it is what was expected; None expects a missing one too."""
    assert autokitteh.check_and_set_value("lock", None, "me")
    assert not autokitteh.check_and_set_value("lock", None, "you")
    assert not autokitteh.check_and_set_value("lock", "you", "x")
    assert autokitteh.check_and_set_value("lock", "me", None)
    assert autokitteh.get_value("lock") is None


def test_mutate_value_does_each_operation(runtime: testing.MemoryRuntime) -> None:
    """Every operation of the table works under its name."""
    assert autokitteh.mutate_value("k", "set", 1) is None
    assert autokitteh.mutate_value("k", "get") == 1
    assert autokitteh.mutate_value("k", "add", 2) == 3
    assert autokitteh.mutate_value("k", "check_and_set", 3, 4) is True
    assert autokitteh.mutate_value("k", "del") is None
    assert set(OPERATIONS) == {"set", "get", "add", "check_and_set", "del"}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("k", "mul", 2), ValueError, "there is no operation 'mul'; there are: set, get"),
        (("k", "set"), TypeError, "'set' takes 1 arguments, and got 0"),
        (("k", "get", 1), TypeError, "'get' takes 0 arguments, and got 1"),
        (("", "get"), ValueError, "key must not be empty"),
        ((1, "get"), TypeError, "key must be a string, not int"),
        (("k", "set", {"a": object()}), TypeError, r'value\["a"\]: object is not JSON'),
    ],
)
def test_mutate_value_refuses(
    runtime: testing.MemoryRuntime, arguments: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    """What no operation can take is named, and nothing is stored."""
    with pytest.raises(error, match=message):
        autokitteh.mutate_value(*arguments)
    assert runtime.values == {}


@pytest.mark.parametrize(
    "function",
    [
        autokitteh.get_value,
        autokitteh.del_value,
        autokitteh.publish_value,
        autokitteh.unpublish_value,
        lambda key: autokitteh.set_value(key, 1),
        lambda key: autokitteh.add_values(key, 1),
        lambda key: autokitteh.check_and_set_value(key, 1, 2),
        store.__getitem__,
        store.__contains__,
        store.__delitem__,
    ],
)
def test_keys_are_strings(runtime: testing.MemoryRuntime, function: Any) -> None:
    """Each function refuses a key that is no string, and an empty one."""
    with pytest.raises(TypeError, match="key must be a string, not int"):
        function(1)
    with pytest.raises(ValueError, match="key must not be empty"):
        function("")


def test_publishing(runtime: testing.MemoryRuntime) -> None:
    """A value can be published and taken back, each twice."""
    assert autokitteh.publish_value("a b") == autokitteh.publish_value("a b") == "memory:///a%20b"
    assert runtime.published == {"a b"}
    autokitteh.unpublish_value("a b")
    autokitteh.unpublish_value("a b")
    assert runtime.published == set()


def test_public_url_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment has no URL, the message says what is missing."""
    monkeypatch.setenv("store_public_url", "https://x/store/s")
    assert autokitteh.get_store_public_url() == "https://x/store/s"
    monkeypatch.delenv("store_public_url")
    with pytest.raises(ValueError, match="no URL for published values"):
        autokitteh.get_store_public_url()


def test_mapping_tells_none_from_missing(runtime: testing.MemoryRuntime) -> None:
    """A stored None is a value; a missing key is a KeyError, and deleting it is none."""
    store["none"] = None
    assert store["none"] is None and "none" in store and "missing" not in store
    with pytest.raises(KeyError):
        _ = store["missing"]
    del store["missing"]
    assert store.get("missing", 5) == 5
    assert store.setdefault("new", [1]) == [1] == store["new"]


def test_mapping_is_one_object_that_reads_nothing_by_itself() -> None:
    """Printing, comparing, hashing, copying and pickling it need no runtime."""
    before = install(None)
    try:
        assert repr(store) == "<autokitteh.store>"
        assert store == store and store != {} and hash(store) == hash(store)
        assert pickle.loads(pickle.dumps(store)) is copy.deepcopy(store) is store
    finally:
        assert install(before) is None, "no runtime was made"


class StoreIsADict(RuleBasedStateMachine):
    """Whatever is done to the mapping, it has what a dict would have."""

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[str, Any] = {}
        self.before = install(testing.MemoryRuntime())

    def teardown(self) -> None:
        install(self.before)

    @rule(key=KEYS, value=st.none() | NUMBERS | st.lists(NUMBERS, max_size=2))
    def set(self, key: str, value: Any) -> None:
        store[key] = self.model[key] = value

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        del store[key]
        self.model.pop(key, None)

    @rule(key=KEYS)
    def pop(self, key: str) -> None:
        assert store.pop(key, "none") == self.model.pop(key, "none")

    @rule(items=st.dictionaries(KEYS, NUMBERS, max_size=2))
    def update(self, items: dict[str, Any]) -> None:
        store.update(items)
        self.model.update(items)

    @rule()
    def clear(self) -> None:
        store.clear()
        self.model.clear()

    @rule()
    def compare(self) -> None:
        assert list(store) == sorted(self.model)
        assert dict(store) == self.model
        assert len(store) == len(self.model)
        assert all(store.get(key, "none") == self.model.get(key, "none") for key in "abc")


TestStoreIsADict = StoreIsADict.TestCase
