"""AttrDict is a dict, with attributes for reading."""

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh import AttrDict

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
DATA = st.dictionaries(st.text(), VALUES, max_size=4)


def plain_dicts(value: Any) -> list[Any]:
    """All dicts inside `value` that are not AttrDicts."""
    if isinstance(value, dict):
        inner = [found for element in value.values() for found in plain_dicts(element)]
        return inner if isinstance(value, AttrDict) else [value, *inner]
    if isinstance(value, list):
        return [found for element in value for found in plain_dicts(element)]
    return []


@given(DATA)
def test_equals_the_dict_it_was_made_of(data: dict[str, Any]) -> None:
    """Being wrapped changes neither the content nor its representation."""
    assert AttrDict(data) == data
    assert repr(AttrDict(data)) == repr(data)


@given(DATA)
def test_json_sees_a_dict(data: dict[str, Any]) -> None:
    """`json.dumps` writes what it would have written for the plain data."""
    assert json.dumps(AttrDict(data)) == json.dumps(data)


@given(DATA)
def test_wraps_at_every_depth(data: dict[str, Any]) -> None:
    """No plain dict is left anywhere, lists included."""
    assert plain_dicts(AttrDict(data)) == []


@given(DATA, st.sampled_from([pickle.HIGHEST_PROTOCOL, 2, None]))
def test_copies_are_equal_and_independent(data: dict[str, Any], protocol: int | None) -> None:
    """Pickle and deepcopy give an equal AttrDict, wrapped to the same depth, that shares nothing."""
    original = AttrDict(data)
    made = copy.deepcopy(original) if protocol is None else pickle.loads(pickle.dumps(original, protocol))
    assert type(made) is AttrDict and made == original and plain_dicts(made) == []
    made["new"] = 1
    assert original == data or "new" in data


@given(DATA)
def test_attribute_and_key_are_one_object(data: dict[str, Any]) -> None:
    """Where a key is readable as an attribute, it is the very object that the key gives."""
    wrapped = AttrDict(data)
    for key in wrapped:
        if not hasattr(dict, key) and not (key.startswith("__") and key.endswith("__")):
            assert getattr(wrapped, key) is wrapped[key]


def test_reads_nested_data() -> None:
    """Dots go through dicts, and through dicts inside lists."""
    data = AttrDict({"user": {"name": "ann", "mail": [{"to": "bob"}]}})
    assert data.user.name == "ann"
    assert data.user.mail[0].to == "bob"
    assert isinstance(data["user"], dict)


def test_changes_are_seen_from_both_sides() -> None:
    """What is changed through an attribute shows through the key, and the other way round."""
    data = AttrDict({"a": {"n": 1}})
    data.a["x"] = 1
    data["a"]["y"] = 2
    assert data["a"] == {"n": 1, "x": 1, "y": 2}
    assert data.a == data["a"]


def test_a_dict_put_in_later_is_wrapped_when_read() -> None:
    """A dict that was assigned, also past our methods, becomes an AttrDict in place."""
    data = AttrDict()
    data["a"] = {"b": {"c": 1}}
    dict.update(data, z={"k": 2})
    assert data.a.b.c == 1 and data.z.k == 2
    data.z["k"] = 3
    assert data["z"]["k"] == 3


def test_a_missing_attribute_names_what_there_is() -> None:
    """AttributeError says which keys the data has, so that hasattr and getattr work as well."""
    with pytest.raises(AttributeError, match=r"no key 'nam' in this data; it has 'name', 'id'"):
        _ = AttrDict(name="x", id=1).nam
    with pytest.raises(AttributeError, match="it is empty"):
        _ = AttrDict().x
    with pytest.raises(AttributeError, match=r"'k11', \.\.\.$"):
        _ = AttrDict({f"k{n}": n for n in range(50)}).x
    assert getattr(AttrDict(), "x", 7) == 7


def test_a_missing_key_is_a_key_error() -> None:
    """Keys behave as in a dict."""
    with pytest.raises(KeyError):
        _ = AttrDict()["x"]


def test_attributes_cannot_be_set_or_deleted() -> None:
    """Writing goes through keys, and the message says so."""
    data = AttrDict(x=1)
    with pytest.raises(NotImplementedError, match=r'use data\["x"\] = '):
        data.x = 2
    with pytest.raises(NotImplementedError, match=r'use del data\["x"\]'):
        del data.x
    assert data == {"x": 1}


def test_methods_of_dict_shadow_keys() -> None:
    """A key named like a method is reached as a key."""
    data = AttrDict(items=1, keys=2, get=3)
    assert callable(data.items) and callable(data.get)
    assert data["items"] == 1


def test_keys_cannot_pose_as_special_methods() -> None:
    """Data from outside cannot make copy or pickle call into it."""
    data = AttrDict({"__deepcopy__": 1, "__getstate__": 2, "__reduce_ex__": 3})
    assert copy.deepcopy(data) == data
    assert pickle.loads(pickle.dumps(data)) == data
    assert not hasattr(data, "__deepcopy__")


def test_copy_is_an_attr_dict_that_shares_what_is_nested() -> None:
    """`copy` is shallow, as in a dict, and keeps the type."""
    data = AttrDict(a={"b": 1})
    made = data.copy()
    assert type(made) is AttrDict and made.a is data.a
    made["c"] = 1
    assert "c" not in data


def test_dir_offers_keys_that_are_names() -> None:
    """Completion shows keys that can be written as attributes."""
    assert {"good", "items"} <= set(dir(AttrDict({"good": 1, "not good": 2, "": 3})))
    assert "not good" not in dir(AttrDict({"not good": 2}))


def test_dict_subclasses_are_left_alone() -> None:
    """A value of someone's own type keeps its type."""

    class Own(dict[str, int]):
        pass

    own = Own(a=1)
    assert AttrDict(own=own).own is own
