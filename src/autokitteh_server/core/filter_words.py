"""CEL's names for types and operators, in words for people."""

import re

_TYPES = {
    "bool": "a truth value",
    "bytes": "bytes",
    "double": "a number",
    "float": "a number",
    "duration": "a duration",
    "google.protobuf.Duration": "a duration",
    "dyn": "any value",
    "int": "a whole number",
    "int64": "a whole number",
    "uint": "an unsigned number",
    "uint64": "an unsigned number",
    "list": "a list",
    "map": "a map",
    "null": "null",
    "null_type": "null",
    "string": "a text",
    "timestamp": "a time",
    "google.protobuf.Timestamp": "a time",
    "type": "a type",
}


def type_word(name: str) -> str:
    """A type as CEL writes it, `list(dyn)` or `LIST<DYN>`, as a noun."""
    bare = re.split(r"[(<]", name.strip())[0]
    return _TYPES.get(bare) or _TYPES.get(bare.lower()) or f"a {name}"


def operator_word(function: str) -> str:
    """`_==_` as people write it: `==`. Names stay as they are."""
    named = {"_[_]": "[ ]", "@in": "in", "_?_:_": "? :", "math.@max": "math.greatest", "math.@min": "math.least"}
    return named.get(function) or (function.strip("_") if re.fullmatch(r"_?[^\w.@]+_", function) else function)
