"""Filters: which events of a source start a session or reach a subscription. CEL over `event_type` and `data`."""

import functools
from dataclasses import dataclass, field

from autokitteh_server.core.filter_cost import BUDGET_NS, MAX_LOOP_NESTING, cost_ns, is_known, loop_nesting
from autokitteh_server.core.filter_data import Activation, activate
from autokitteh_server.core.filter_language import Expression, compile_expression, regex_problem
from autokitteh_server.core.filter_problems import filter_problem, place_of, read_problems
from autokitteh_server.core.filter_reasons import explain_failure, explain_value
from autokitteh_server.core.filter_spelling import as_cel
from autokitteh_server.core.filter_text import UNREADABLE
from autokitteh_server.core.filter_tree import Call, Constant, Tree, read_tree, walk
from autokitteh_server.core.filter_words import operator_word, type_word
from autokitteh_server.core.manifest_problems import Place, Problem, TextError

__all__ = ["Activation", "Filter", "FilterError", "Match", "activate", "check_filter", "compile_filter"]

MAX_LENGTH = 4096

#: A filter must be affordable on an event of this size; on a larger one that it is not, it fails.
_ORDINARY_WEIGHT = 16_384
_ORDINARY_LENGTH = 64


class FilterError(TextError):
    """A filter cannot be used. `problems` are all that were found, by position."""

    code = "invalid_filter"


@dataclass(frozen=True, slots=True)
class Match:
    """Whether an event passes a filter. One on which the filter fails does not, and `failure` says why."""

    matched: bool
    failure: str = ""


MATCHED = Match(True)
NOT_MATCHED = Match(False)


@dataclass(frozen=True, slots=True)
class Filter:
    """A compiled filter. The empty one matches everything."""

    text: str
    _expression: Expression | None = field(default=None, repr=False, compare=False)
    _tree: Tree | None = field(default=None, repr=False, compare=False)
    _affordable: dict[tuple[int, int], bool] = field(default_factory=dict, repr=False, compare=False)

    def match(self, activation: Activation) -> Match:
        """Whether the event passes. Never raises, and is bounded in time: see filter_cost.py."""
        if self._expression is None or self._tree is None:
            return MATCHED
        if activation.failure:
            return Match(False, activation.failure)
        if not self._is_affordable(activation):
            return Match(False, f"the filter could take too long on an event of {activation.weight:,} bytes")
        try:
            result = self._expression.eval(activation.variables)
            value = result.value()
            if value is True:
                return MATCHED
            if value is False:
                return NOT_MATCHED
            kind = result.type().name()
        except Exception as error:  # what the library does not tell as a value
            return Match(False, explain_failure(str(error), self._tree, activation.data))
        if kind == "ERROR":
            return Match(False, explain_failure(str(value), self._tree, activation.data))
        return Match(False, explain_value(value, kind))

    def _is_affordable(self, activation: Activation) -> bool:
        # Sizes are rounded up to powers of two, so that the bound is worked out a few times only.
        size = activation.weight.bit_length(), activation.longest.bit_length()
        known = self._affordable.get(size)
        if known is None and self._tree is not None:
            known = cost_ns(self._tree, weight=2.0 ** size[0], longest=2.0 ** size[1]) <= BUDGET_NS
            self._affordable[size] = known
        return bool(known)


def check_filter(text: str) -> list[Problem]:
    """What is wrong with a filter, by position; nothing if it can be used."""
    try:
        compile_filter(text)
    except FilterError as error:
        return list(error.problems)
    return []


@functools.lru_cache(maxsize=4096)
def compile_filter(text: str) -> Filter:
    """Raises FilterError with all that is wrong. A text without a condition is the filter that matches everything."""
    if not text.strip():
        return Filter(text)
    _refuse(_text_problems(text))
    try:
        expression = compile_expression(as_cel(text))
    except Exception as error:
        raise FilterError(read_problems(str(error), text)) from None
    tree = read_tree(expression.serialize())
    _refuse(_type_problems(expression))
    _refuse(_call_problems(tree, text))
    _refuse(_cost_problems(tree))
    return Filter(text, expression, tree)


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise FilterError(problems)


def _text_problems(text: str) -> list[Problem]:
    if len(text) > MAX_LENGTH:
        message = f"the filter has {len(text):,} characters, more than {MAX_LENGTH:,}"
        return [filter_problem(Place(1, 1), message, "Check the details in the code that handles the event.")]
    if odd := UNREADABLE.search(text):
        message = f"the character U+{ord(odd[0]):04X} cannot be in a filter"
        return [filter_problem(place_of(text, odd.start()), message, "Remove it.")]
    return []


def _type_problems(expression: Expression) -> list[Problem]:
    kind = expression.return_type().name()
    if kind in ("BOOL", "DYN"):
        return []
    message = f"the filter gives {type_word(kind)}, and must give true or false"
    return [filter_problem(Place(1, 1), message, "Compare it with something, such as `event_type == 'push'`.")]


def _call_problems(tree: Tree, text: str) -> list[Problem]:
    problems = []
    for node in walk(tree):
        if not isinstance(node, Call):
            continue
        if not is_known(node.function):
            message = f"`{operator_word(node.function)}` cannot be used in a filter"
            problems.append(filter_problem(place_of(text, node.offset), message))
        elif node.function == "matches" and len(node.args) == 2:
            problems += _regex_problems(node.args[1], node, text)
    return problems


def _regex_problems(pattern: Tree, call: Call, text: str) -> list[Problem]:
    if not isinstance(pattern, Constant) or not isinstance(pattern.value, str):
        # Built from an event it would be somebody else's program, and nobody knows how long it takes.
        message, remedy = "the pattern of `matches` is not a text", "Write the regular expression out, in quotes."
        return [filter_problem(place_of(text, call.offset), message, remedy)]
    if wrong := regex_problem(pattern.value):
        remedy = "Patterns are those of RE2: no look-ahead, no back-references."
        return [filter_problem(place_of(text, pattern.offset), f"the regular expression is not valid: {wrong}", remedy)]
    return []


def _cost_problems(tree: Tree) -> list[Problem]:
    if loop_nesting(tree) > MAX_LOOP_NESTING:
        message = f"`exists`, `all`, `map` and such stand in one another more than {MAX_LOOP_NESTING} deep"
    elif cost_ns(tree, weight=_ORDINARY_WEIGHT, longest=_ORDINARY_LENGTH) > BUDGET_NS:
        message = f"the filter could take more than {BUDGET_NS / 1e9:g} s on an ordinary event"
    else:
        return []
    return [filter_problem(Place(1, 1), message, "Make it simpler, and check the rest in the code.")]
