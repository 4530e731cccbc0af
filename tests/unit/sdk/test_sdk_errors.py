"""The errors that user code sees."""

import copy
import inspect
import pickle
import traceback

import pytest

from autokitteh import errors

CLASSES = [error for _, error in inspect.getmembers(errors, inspect.isclass) if error.__module__ == errors.__name__]
EXAMPLES = {
    "ConnectionInitError": ("conn",),
    "EnvVarError": ("VAR", "not a number"),
    "OAuthRefreshError": ("conn", ValueError("revoked")),
    "AtlassianOAuthError": ("conn",),
    "AuthenticationError": ("conn", "bad token"),
}


def example(error: type[Exception]) -> Exception:
    return error(*EXAMPLES.get(error.__name__, ("what happened",)))


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_survives_pickle(error: type[Exception]) -> None:
    """Type, text, attributes and notes are the same after a round trip, and after a second one."""
    original = example(error)
    for made in (pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(original)))), copy.copy(original)):
        assert type(made) is error
        assert str(made) == str(original)
        assert made.args == original.args
        assert vars(made) == vars(original)


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_explains_itself(error: type[Exception]) -> None:
    """The docstring is its own, and a text is never empty."""
    assert len(error.__dict__["__doc__"].split()) >= 10
    assert len(str(example(error))) > 5


@pytest.mark.parametrize("error", [error for error in CLASSES if error.__name__ not in EXAMPLES])
def test_without_a_message_the_contract_is_the_text(error: type[Exception]) -> None:
    """An error that was raised bare says what its docstring says, also after pickling."""
    assert str(error()) == " ".join((error.__doc__ or "").split())
    assert str(pickle.loads(pickle.dumps(error()))) == str(error())
    assert str(error("text")) == "text"


def test_all_but_authentication_have_one_base() -> None:
    """`except AutoKittehError` catches everything but a service's refusal."""
    outside = {error.__name__ for error in CLASSES if not issubclass(error, errors.AutoKittehError)}
    assert outside == {"AuthenticationError"}
    assert errors.AuthenticationError.__bases__ == (Exception,)


def test_texts_that_programs_rely_on() -> None:
    """These two texts are fixed."""
    assert str(errors.ConnectionInitError("x")) == "AutoKitteh connection 'x' not initialized"
    assert str(errors.EnvVarError("V", "missing")) == "Environment variable 'V' is missing"


def test_attributes() -> None:
    """What the error is about can be read without parsing its text."""
    assert errors.ConnectionInitError("x").connection == "x"
    assert (errors.EnvVarError("V", "empty").env_var, errors.EnvVarError("V", "empty").desc) == ("V", "empty")
    assert errors.OAuthRefreshError("x", ValueError("no")).error == "no"
    assert errors.AuthenticationError("x", "no").reason == "no"


def test_tracebacks_show_the_remedy() -> None:
    """The remedy of a fixed text is a note."""
    shown = "".join(traceback.format_exception(errors.ConnectionInitError("slack_conn")))
    assert "ak var set PROJECT/slack_conn NAME --secret" in shown
