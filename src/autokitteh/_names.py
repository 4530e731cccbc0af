"""The check of every name and id that user code hands in."""


def check_name(value: object, what: str) -> str:
    """`value` if it is a non-empty string. Raises TypeError if it is no string, ValueError if it is empty."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a string, not {type(value).__name__}")
    if not value:
        raise ValueError(f"{what} must not be empty")
    return value


def check_names(values: object, what: str) -> list[str]:
    """`values`, one name or an iterable of them, as a list in the given order without repetitions.

    Raises TypeError if one is no string, ValueError if there is none or one is empty.
    """
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        return [check_name(values, what)]
    names = list(dict.fromkeys(check_name(value, what) for value in values))
    if not names:
        raise ValueError(f"at least one {what} is needed")
    return names
