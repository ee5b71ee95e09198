"""CQL2 text read into the tree of CQL2 JSON.

The parser is our own: the grammar-driven one of the library `cql2` takes twice as long for each parenthesis of a
text that is wrong inside, and ties up a server with 30 of them. This one never goes back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import shapely
from shapely.geometry import mapping

from engine.catalog.filters.caps import MAX_DEPTH, refused, too_large
from engine.catalog.filters.relations import ARRAY, COMPARISONS, SPATIAL, TEMPORAL
from engine.catalog.filters.words import Form, Word, words
from engine.errors import Problem

_OPERATORS = {name.lower(): name for name in (*ARRAY, *SPATIAL, *TEMPORAL, "casei", "accenti")}
_ARRAYS = frozenset(ARRAY)
_SHAPES = frozenset(
    {"point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection"}
)
_RESERVED = frozenset({"and", "or", "not", "in", "between", "like", "is", "null", "div"})


def tree_of_text(text: str) -> Any:
    """The filter as CQL2 JSON.

    Raises:
        Problem: ParameterInvalid: it is no CQL2 text, with the place and what was expected there; or too large.
    """
    return _Reader(text).whole()


class _Reader:
    """Reads from left to right, a method for each level of precedence."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words = words(text)
        self._next = 0
        self._depth = 0

    def whole(self) -> Any:
        tree = self._either()
        if self._word.form is not Form.END:
            raise self._wrong("the end, AND or OR")
        return tree

    @property
    def _word(self) -> Word:
        return self._words[self._next]

    def _take(self, *keywords: str) -> bool:
        """Step over the word if it is one of these."""
        if self._word.is_word(*keywords):
            self._next += 1
            return True
        return False

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise self._wrong(sign.upper())

    def _wrong(self, expected: str) -> Problem:
        word = self._word
        there = "it ends" if word.form is Form.END else f"is {self._text[word.at : word.end][:40]!r}"
        return refused(
            f"The filter is no CQL2 text: at character {word.at + 1} {there}, where {expected} is expected.",
            "See OGC 21-065 for the language; texts stand in 'single quotes'.",
        )

    def _deeper(self, part: Callable[[], Any]) -> Any:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise too_large("levels", MAX_DEPTH)
        tree = part()
        self._depth -= 1
        return tree

    def _either(self) -> Any:
        return self._joined("or", self._both)

    def _both(self) -> Any:
        return self._joined("and", self._negated)

    def _joined(self, operator: str, part: Callable[[], Any]) -> Any:
        parts = [part()]
        while self._take(operator):
            parts.append(part())
        return parts[0] if len(parts) == 1 else {"op": operator, "args": parts}

    def _negated(self) -> Any:
        if self._take("not"):
            return {"op": "not", "args": [self._deeper(self._negated)]}
        return self._compared()

    def _compared(self) -> Any:
        left = self._sum()
        sign = self._word.value
        if self._take(*COMPARISONS, "!="):
            return {"op": "<>" if sign == "!=" else sign, "args": [left, self._sum()]}
        if self._take("is"):
            turned = self._take("not")
            self._need("null")
            return _turned({"op": "isNull", "args": [left]}, turned)
        turned = self._take("not")
        if self._take("in"):
            return _turned({"op": "in", "args": [left, self._list()]}, turned)
        if self._take("like"):
            return _turned({"op": "like", "args": [left, self._sum()]}, turned)
        if self._take("between"):
            low = self._sum()
            self._need("and")
            return _turned({"op": "between", "args": [left, low, self._sum()]}, turned)
        if turned:
            raise self._wrong("IN, LIKE or BETWEEN")
        return left

    def _sum(self) -> Any:
        return self._chain(("+", "-"), self._product)

    def _product(self) -> Any:
        return self._chain(("*", "/", "%", "div"), self._power)

    def _chain(self, signs: tuple[str, ...], part: Callable[[], Any]) -> Any:
        tree = part()
        sign = self._word.value.lower()
        while self._take(*signs):
            tree = {"op": sign, "args": [tree, part()]}
            sign = self._word.value.lower()
        return tree

    def _power(self) -> Any:
        return self._chain(("^",), self._signed)

    def _signed(self) -> Any:
        if self._take("+"):
            return self._deeper(self._signed)
        if not self._take("-"):
            return self._atom()
        value = self._deeper(self._signed)
        return -value if isinstance(value, int | float) else {"op": "*", "args": [-1, value]}

    def _atom(self) -> Any:
        word = self._word
        if word.form is Form.TEXT:
            self._next += 1
            return word.value
        if word.form is Form.NUMBER:
            self._next += 1
            return float(word.value)
        if self._take("true", "false"):
            return word.value.lower() == "true"
        if self._take("("):
            tree = self._deeper(self._either)
            self._need(")")
            return tree
        if word.form is Form.QUOTED or (word.form is Form.NAME and not word.is_word(*_RESERVED)):
            return self._named(word)
        raise self._wrong("a name, a value or a parenthesis")

    def _named(self, word: Word) -> Any:
        name = word.value.lower()
        if word.form is Form.NAME and name in _SHAPES and self._words[self._next + 1].is_word("(", "z"):
            return self._shape()
        self._next += 1
        if word.form is Form.QUOTED or not self._take("("):
            return {"property": word.value}
        if name == "bbox":
            return {"bbox": self._rest(self._signed)}
        if name in ("date", "timestamp"):
            parts = self._rest(self._atom)
            return {name: parts[0] if len(parts) == 1 else parts}
        if name == "interval":
            return {"interval": self._rest(self._atom)}
        operator = _OPERATORS.get(name, word.value)
        return {"op": operator, "args": self._rest(self._element if operator in _ARRAYS else self._either)}

    def _element(self) -> Any:
        return self._list() if self._word.is_word("(") else self._either()

    def _list(self) -> list[Any]:
        self._need("(")
        return self._rest(self._element)

    def _rest(self, part: Callable[[], Any]) -> list[Any]:
        """The list up to its closing parenthesis."""
        if self._take(")"):
            return []
        parts = [self._deeper(part)]
        while self._take(","):
            parts.append(self._deeper(part))
        self._need(")")
        return parts

    def _shape(self) -> Any:
        """A geometry as well-known text, up to the parenthesis that closes it."""
        begin, open_ = self._word, 0
        while True:
            self._next += 1
            if self._word.form is Form.END:
                raise self._wrong("a parenthesis that closes the geometry")
            open_ += self._word.is_word("(") - self._word.is_word(")")
            if open_ > MAX_DEPTH:
                raise too_large("levels", MAX_DEPTH)
            if self._word.is_word(")") and open_ == 0:
                break
        self._next += 1
        well_known = self._text[begin.at : self._words[self._next - 1].end]
        try:
            return mapping(shapely.from_wkt(well_known))
        except (shapely.errors.ShapelyError, ValueError) as cause:
            raise refused(
                f"The geometry at character {begin.at + 1} of the filter is no well-known text: {cause}.",
                "Write e.g. POLYGON((5 50, 6 50, 6 51, 5 50)), longitude first.",
            ) from cause


def _turned(tree: Any, is_turned: bool) -> Any:
    return {"op": "not", "args": [tree]} if is_turned else tree
