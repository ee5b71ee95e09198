"""CQL2 JSON read into a filter: operators, counts and kinds of their operands are checked on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.catalog.filters.abroad import brought_home
from engine.catalog.filters.caps import check_depth, check_tree, refused
from engine.catalog.filters.literals import Node, as_moment, described, read_moment, read_number, read_text
from engine.catalog.filters.model import (
    COLLECTION,
    DATETIME,
    GEOMETRY,
    ID,
    And,
    Answer,
    Array,
    Calculation,
    Comparison,
    Elements,
    Filter,
    Folded,
    Geometry,
    In,
    Interval,
    IsNull,
    Kind,
    Like,
    Moment,
    Number,
    Or,
    Property,
    Scalar,
    Span,
    Spatial,
    Temporal,
    Text,
    Truth,
)
from engine.catalog.filters.nesting import check_levels, joined, negated
from engine.catalog.filters.patterns import read_pattern
from engine.catalog.filters.relations import ARITHMETIC, ARRAY, COMPARISONS, SPATIAL, SPATIAL_TURNED, TEMPORAL
from engine.catalog.filters.shapes import boxes, read_geometry, single_kind
from engine.catalog.filters.text import tree_of_text
from engine.domain.reference import WGS84, Reference

FOLDS = ("casei", "accenti")
OWN = "properties."
"""What may stand before the name of a property."""


def parse_text(text: str, reference: Reference = WGS84) -> Filter:
    """The filter that is written as CQL2 text; its geometries are in that reference system.

    Raises:
        Problem: ParameterInvalid, saying where it is wrong, what is not supported, or which cap it exceeds.
    """
    return _whole(tree_of_text(text), reference)


def parse_json(value: Any, reference: Reference = WGS84) -> Filter:
    """The filter that is written as CQL2 JSON, a text or already read; its geometries are in that reference system.

    Raises:
        Problem: ParameterInvalid, saying where it is wrong, what is not supported, or which cap it exceeds.
    """
    if isinstance(value, str):
        check_depth(value)
        try:
            value = json.loads(value)
        except ValueError as cause:
            raise refused(f"The filter is no JSON: {cause}.", "Give CQL2 JSON as an object.") from cause
    return _whole(value, reference)


def _whole(value: Any, reference: Reference) -> Filter:
    check_tree(value)
    if not reference.is_crs84:
        value = brought_home(value, reference)
    return check_levels(_filter(Node(value)))


def property_named(name: str) -> Property:
    """The property of this name; `properties.NAME` is NAME."""
    own = name.startswith(OWN) and len(name) > len(OWN)
    bare = name[len(OWN) :] if own else name
    return Property(bare, own=own and bare in (ID, COLLECTION, GEOMETRY))


def compare(sign: str, left: Scalar, right: Scalar, node: Node) -> Comparison:
    """The comparison; a text beside `datetime` is read as a time.

    Raises:
        Problem: ParameterInvalid, where the operands cannot be of one kind.
    """
    left, right = _timely(left, right, node), _timely(right, left, node)
    _check_pair(left, right, node)
    return Comparison(sign, left, right)


def _filter(node: Node) -> Filter:
    value = node.value
    if isinstance(value, bool):
        return Truth(value)
    if isinstance(value, Mapping):
        if "property" in value:
            wanted = _property(node)
            if Kind.TRUTH not in wanted.kinds:
                raise node.wrong(f"{wanted.name} is no boolean, so it is no filter by itself")
            return wanted
        if "op" in value:
            operator = _operator(node)
            if operator in _PREDICATES:
                return _PREDICATES[operator](node)
            if operator in (*ARITHMETIC, *FOLDS):
                raise node.wrong(f"'{operator}' gives no boolean")
            raise node.wrong(
                f"the function '{operator}' is not known", "Known are: " + ", ".join(_PREDICATES) + "."
            )
    raise node.wrong(f"{described(value)} is no filter", "Give an operator, a boolean or a property.")


def _operator(node: Node) -> str:
    operator = node.value["op"]
    if not isinstance(operator, str):
        raise node.wrong(f"op is {described(operator)}, not a text")
    return operator


def _arguments(node: Node, least: int, most: int | None = None) -> list[Node]:
    arguments = node.value.get("args")
    if not isinstance(arguments, list | tuple):
        raise node.wrong(f"'{node.value['op']}' has no list of args")
    if len(arguments) < least or (most is not None and len(arguments) > most):
        wanted = f"{least}" if least == most else f"{least} or more" if most is None else f"{least} to {most}"
        raise node.wrong(f"'{node.value['op']}' has {len(arguments)} args, and needs {wanted}")
    return [node.part("args", at, part) for at, part in enumerate(arguments)]


def _property(node: Node) -> Property:
    name = node.value["property"]
    if not isinstance(name, str) or not name:
        raise node.wrong(f"property is {described(name)}, not a name")
    return property_named(read_text(name, node).value)


def _scalar(node: Node) -> Scalar:
    value = node.value
    if isinstance(value, bool):
        return Truth(value)
    if isinstance(value, int | float):
        return read_number(value, node)
    if isinstance(value, str):
        return read_text(value, node)
    if isinstance(value, Mapping):
        if "property" in value:
            return _property(node)
        if "date" in value or "timestamp" in value:
            return read_moment(node)
        if "op" in value:
            return _computed(node)
    hint = (
        "Ask for null with isNull." if value is None else "Compare arrays with a_equals, times with t_equals."
    )
    raise node.wrong(f"{described(value)} is not to be compared", hint)


def _computed(node: Node) -> Scalar:
    operator = _operator(node)
    if operator in FOLDS:
        return Folded(_of_kind(_arguments(node, 1, 1)[0], Kind.TEXT), operator)
    if operator in ARITHMETIC:
        left, right = (_of_kind(part, Kind.NUMBER) for part in _arguments(node, 2, 2))
        return Calculation(operator, left, right)
    return Answer(_filter(node))


def _of_kind(node: Node, kind: Kind) -> Scalar:
    scalar = _scalar(node)
    if isinstance(scalar, Property) and scalar.column == DATETIME and kind is Kind.TEXT:
        return scalar
    if kind not in scalar.kinds:
        raise node.wrong(f"{described(node.value)} is no {kind.value}")
    return scalar


def _and(node: Node) -> Filter:
    return joined(And, (_filter(part) for part in _arguments(node, 1)))


def _or(node: Node) -> Filter:
    return joined(Or, (_filter(part) for part in _arguments(node, 1)))


def _not(node: Node) -> Filter:
    return negated(_filter(_arguments(node, 1, 1)[0]))


def _comparison(node: Node) -> Filter:
    left, right = (_scalar(part) for part in _arguments(node, 2, 2))
    if node.value["op"] not in ("=", "<>"):
        for scalar in (left, right):
            _no_answer(scalar, node)
    return compare(node.value["op"], left, right, node)


def _between(node: Node) -> Filter:
    first, *rest = _arguments(node, 1)
    if len(rest) == 1 and isinstance(rest[0].value, list) and len(rest[0].value) == 2:
        rest = [rest[0].part(at, part) for at, part in enumerate(rest[0].value)]  # as drafts of CQL2 had it
    if len(rest) != 2:
        _arguments(node, 3, 3)
    value, low, high = (_scalar(part) for part in (first, *rest))
    for scalar in (value, low, high):
        _no_answer(scalar, node)
    return And((compare(">=", value, low, node), compare("<=", value, high, node)))


def _in(node: Node) -> Filter:
    value, choice = _arguments(node, 2, 2)
    if not isinstance(choice.value, list | tuple):
        raise choice.wrong(f"'in' needs a list, and this is {described(choice.value)}")
    options = [_scalar(choice.part(at, part)) for at, part in enumerate(choice.value)]
    return one_of(_scalar(value), options, node)


def one_of(value: Scalar, options: Sequence[Scalar], node: Node) -> In:
    """That the value is one of the options.

    Raises:
        Problem: ParameterInvalid, where an option cannot be of the kind of the value, or is computed.
    """
    _no_answer(value, node)
    for option in options:
        if isinstance(option, Folded | Calculation | Answer) and not _folds_literal(option):
            raise node.wrong("an option of 'in' is computed", "Write it as comparisons joined by or.")
    timely = tuple(_timely(option, value, node) for option in options)
    for option in timely:
        _check_pair(value, option, node)
    return In(value, timely)


def _folds_literal(scalar: Scalar) -> bool:
    while isinstance(scalar, Folded):
        scalar = scalar.of
    return isinstance(scalar, Text)


def _like(node: Node) -> Filter:
    text, pattern = _arguments(node, 2, 2)
    folds: list[str] = []
    while isinstance(pattern.value, Mapping) and pattern.value.get("op") in FOLDS:
        folds.insert(0, pattern.value["op"])
        pattern = _arguments(pattern, 1, 1)[0]
    if not isinstance(pattern.value, str):
        raise pattern.wrong(f"the pattern of 'like' is {described(pattern.value)}, not a text")
    form = read_pattern(read_text(pattern.value, pattern).value)
    return Like(_of_kind(text, Kind.TEXT), form, tuple(folds))


def _is_null(node: Node) -> Filter:
    part = _arguments(node, 1, 1)[0]
    if isinstance(part.value, list | tuple | None) or (
        "op" not in _members(part) and "property" not in _members(part)
    ):
        raise part.wrong(f"{described(part.value)} is never null", "Ask it of a property.")
    return IsNull(_scalar(part))


def _members(node: Node) -> Mapping[str, Any]:
    return node.value if isinstance(node.value, Mapping) else {}


def _temporal(node: Node) -> Filter:
    left, right = (_span(part) for part in _arguments(node, 2, 2))
    return Temporal(node.value["op"], left, right)


def _span(node: Node) -> Span:
    members = _members(node)
    if "property" in members:
        named = _property(node)
        if Kind.MOMENT not in named.kinds:
            raise node.wrong(f"{named.name} is no time")
        return named
    if "interval" in members:
        ends = members["interval"]
        if not isinstance(ends, list | tuple) or len(ends) != 2:
            raise node.wrong("an interval has two ends")
        start, end = (_end(node.part("interval", at, part)) for at, part in enumerate(ends))
        if isinstance(start, Moment) and isinstance(end, Moment) and start.first > end.last:
            raise node.wrong("the interval ends before it begins")
        return Interval(start, end)
    if isinstance(node.value, str):
        return as_moment(node.value, node)
    if "date" in members or "timestamp" in members:
        return read_moment(node)
    raise node.wrong(
        f"{described(node.value)} is no time", "Give a property, a date, a timestamp or an interval."
    )


def _end(node: Node) -> Moment | Property | None:
    if node.value == "..":
        return None
    found = _span(node)
    if isinstance(found, Interval):
        raise node.wrong("an interval ends in moments")
    return found


def _spatial(node: Node) -> Filter:
    left, right = _arguments(node, 2, 2)
    relation = node.value["op"]
    if "property" in _members(right) and "property" not in _members(left):
        left, right, relation = right, left, SPATIAL_TURNED[relation]
    if "property" not in _members(left) or _property(left).column != GEOMETRY:
        raise left.wrong("only 'geometry' has a place", 'Compare {"property": "geometry"} with a geometry.')
    if not isinstance(right.value, Mapping) or not {"type", "bbox"} & right.value.keys():
        raise right.wrong(f"{described(right.value)} is no GeoJSON geometry and no bbox")
    found = read_geometry(right.value, right.place)
    if relation not in ("s_intersects", "s_disjoint"):
        single = single_kind(found.shape)
        if single is None:
            raise right.wrong(f"'{relation}' takes no collection that mixes points, lines and polygons")
        found = Geometry(single)
    return Spatial(relation, found, boxes(found.shape))


def _array(node: Node) -> Filter:
    left, right = (_elements(part) for part in _arguments(node, 2, 2))
    return Array(node.value["op"], left, right)


def _elements(node: Node) -> Property | Elements:
    if "property" in _members(node):
        named = _property(node)
        if named.column is not None:
            raise node.wrong(f"{named.name} is no array")
        return named
    if not isinstance(node.value, list | tuple):
        raise node.wrong(f"{described(node.value)} is no array")
    values: list[Text | Number | Truth] = []
    for at, part in enumerate(node.value):
        scalar = _scalar(inner := node.part(at, part))
        if not isinstance(scalar, Text | Number | Truth):
            raise inner.wrong("an array holds texts, numbers and booleans only")
        values.append(scalar)
    return Elements(tuple(values))


def _timely(scalar: Scalar, other: Scalar, node: Node) -> Scalar:
    """A text beside `datetime` as a time."""
    if isinstance(scalar, Text) and isinstance(other, Property) and other.column == DATETIME:
        return as_moment(scalar.value, node)
    return scalar


def _check_pair(left: Scalar, right: Scalar, node: Node) -> None:
    for scalar in (left, right):
        if isinstance(scalar, Property) and scalar.column == GEOMETRY:
            raise node.wrong(
                "geometry is not to be compared", "Use s_intersects or another spatial operator."
            )
    if not left.kinds & right.kinds:
        kinds = ["/".join(sorted(kind.value for kind in scalar.kinds)) for scalar in (left, right)]
        raise node.wrong(f"it compares a {kinds[0]} with a {kinds[1]}", "Compare values of one kind.")


def _no_answer(scalar: Scalar, node: Node) -> None:
    if isinstance(scalar, Answer):
        raise node.wrong(
            "the answer of a filter is compared", "Only = and <> do that; join filters by and, or."
        )


_PREDICATES: Mapping[str, Callable[[Node], Filter]] = {
    "and": _and,
    "or": _or,
    "not": _not,
    **dict.fromkeys(COMPARISONS, _comparison),
    "between": _between,
    "in": _in,
    "like": _like,
    "isNull": _is_null,
    **dict.fromkeys(TEMPORAL, _temporal),
    **dict.fromkeys(SPATIAL, _spatial),
    **dict.fromkeys(ARRAY, _array),
}
