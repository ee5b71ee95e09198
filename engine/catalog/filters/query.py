"""The `query` of STAC's Query extension read into a filter."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from engine.catalog.filters.caps import MAX_PATTERN, check_tree, too_large
from engine.catalog.filters.instants import span_of_text
from engine.catalog.filters.literals import Node, described, read_number, read_text
from engine.catalog.filters.model import (
    And,
    Array,
    Elements,
    Filter,
    Folded,
    Kind,
    Like,
    Moment,
    Number,
    Or,
    Property,
    Scalar,
    Text,
    Truth,
    Wild,
)
from engine.catalog.filters.nesting import joined
from engine.catalog.filters.tree import compare, one_of, property_named

_SIGNS = {"eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_PATTERNS = ("startsWith", "endsWith", "contains")
OPERATORS = (*_SIGNS, *_PATTERNS, "in")


def parse_query(query: Any, fold: frozenset[str] = frozenset()) -> Filter:
    """The filter of a query such as `{"eo:cloud_cover": {"lte": 20}}`: all of it has to hold.

    An operand that is null counts as not given. A text that is an RFC 3339 timestamp stands for its instant.

    Args:
        query: Name of a property -> operator -> operand, as JSON.
        fold: Names of properties whose texts compare without regard to upper and lower case.

    Raises:
        Problem: ParameterInvalid, naming the property and the operator that is wrong or unknown.
    """
    if not isinstance(query, Mapping):
        raise Node(query).wrong(f"the query is {described(query)}, not an object")
    check_tree(query)
    parts: list[Filter] = []
    for name, wishes in query.items():
        node = Node(wishes, f"/{name}")
        if not isinstance(wishes, Mapping):
            raise node.wrong(f"{name} has {described(wishes)}, not an object", 'Write e.g. {"eq": 20}.')
        wanted = property_named(read_text(str(name), node).value)
        for operator, operand in wishes.items():
            if operator not in OPERATORS:
                raise node.wrong(
                    f"the operator {str(operator)[:40]!r} is not known", f"Known are: {', '.join(OPERATORS)}."
                )
            if operand is not None:
                parts.append(_wish(wanted, operator, node.part(operator, operand), wanted.name in fold))
    return joined(And, parts) if parts else Truth(True)


def _wish(wanted: Property, operator: str, node: Node, is_folded: bool) -> Filter:
    folded = partial(_folded, is_folded=is_folded)
    if operator in _SIGNS:
        return compare(_SIGNS[operator], folded(wanted, of=(node.value,)), folded(_operand(node)), node)
    if operator == "in":
        if not isinstance(node.value, list | tuple):
            raise node.wrong(f"it is {described(node.value)}, not a list")
        options = [folded(_operand(node.part(at, part))) for at, part in enumerate(node.value)]
        return one_of(folded(wanted, of=node.value), options, node)
    if not isinstance(node.value, str):
        if operator == "contains":
            return Array("a_contains", wanted, Elements((_element(node),)))
        raise node.wrong(f"it is {described(node.value)}, not a text")
    return _pattern(wanted, operator, read_text(node.value, node), is_folded)


def _pattern(wanted: Property, operator: str, text: Text, is_folded: bool) -> Filter:
    if len(text.value) > MAX_PATTERN:
        raise too_large("characters in a pattern", MAX_PATTERN)
    before = () if operator == "startsWith" else (Wild.ANY,)
    after = () if operator == "endsWith" else (Wild.ANY,)
    plain = (text.value,) if text.value else ()
    like = Like(_folded(wanted, is_folded=is_folded), (*before, *plain, *after), ("casei",) * is_folded)
    if operator != "contains" or wanted.column is not None:
        return like
    return Or((like, Array("a_contains", wanted, Elements((text,)))))


def _folded(scalar: Scalar, *, is_folded: bool, of: tuple[Any, ...] | list[Any] = ("",)) -> Scalar:
    """The text folded, where it is to be compared so and what it is compared with are texts."""
    if not is_folded or Kind.TEXT not in scalar.kinds or not all(isinstance(part, str) for part in of):
        return scalar
    return Folded(scalar, "casei")


def _operand(node: Node) -> Scalar:
    if not isinstance(node.value, str):
        return _element(node)
    span = span_of_text(node.value)
    return Moment(*span) if span is not None and span[0] == span[1] else read_text(node.value, node)


def _element(node: Node) -> Text | Number | Truth:
    if isinstance(node.value, bool):
        return Truth(node.value)
    if isinstance(node.value, int | float):
        return read_number(node.value, node)
    if isinstance(node.value, str):
        return read_text(node.value, node)
    raise node.wrong(
        f"{described(node.value)} is no value to compare with", "Give a text, a number or a boolean."
    )
