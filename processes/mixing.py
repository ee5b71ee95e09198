"""What a process says of the dimensions of its cubes, so that others can tell what may be left out before it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

DIMENSIONS = ("t", "bands", "y", "x")
"""The dimensions of a loaded cube, by these names. Only of them a declaration can be made."""


@dataclass(frozen=True, slots=True)
class Mixes:
    """Along which dimensions what comes out at a label depends on more than what went in at that label.

    Along all others the process keeps the labels, with all that is known of them, and computes the same for a label
    whatever other labels there are beside it, even if there are none.
    """

    known: bool = True
    """Is anything said at all? If not, everything may be mixed with everything."""
    kinds: tuple[str, ...] = ()
    """Dimensions by what they are: `t`, `bands`, `y`, `x`."""
    named: tuple[str, ...] = ()
    """Parameters that name a dimension."""
    usual: tuple[str, ...] = ()
    """The dimensions that are meant where such a parameter is null."""
    does: Literal["computes", "selects", "makes"] = "computes"
    """`selects`: does nothing but keep some labels along these dimensions; `makes`: a cube with these dimensions."""
    gone: bool = False
    """Are the dimensions given up?"""
    cells: int | None = None
    """How many labels to either side count; `None`: all of them, or as many as `size` tells."""
    size: str = ""
    """The parameter that tells how far it reaches: rows of weights."""
    beyond: tuple[str, str] = ("", "-")
    """A parameter, and a word of it that makes the other end of the cube count, too."""
    cubes: tuple[str, ...] = ("data",)
    """The parameters for cubes that go in label by label; the labels of the first one are those of the result."""
    bands: tuple[str, ...] = ()
    """Parameters that name the only bands that are read."""
    keeps: str = ""
    """The parameter that, unless it is null, lets all bands come out again."""
    area: str = ""
    """The parameter for a box, or geometries, in which alone cells are read, or closest to which."""

    def over(self, *parameters: str) -> Mixes:
        """The same, for other parameters than `data`."""
        return replace(self, cubes=parameters)

    def reading(self, *parameters: str, unless: str = "") -> Mixes:
        """The same, where no other bands are read than those that these parameters name."""
        return replace(self, bands=parameters, keeps=unless)

    def unless(self, parameter: str, word: str) -> Mixes:
        """The same, where a parameter does not have a word that makes the other end of the cube count."""
        return replace(self, beyond=(parameter, word))

    def inside(self, parameter: str) -> Mixes:
        """The same, where no other cells are read than those in the area that a parameter names."""
        return replace(self, area=parameter)

    def dimensions(self, args: Mapping[str, Any]) -> frozenset[str] | None:
        """The dimensions that are mixed (selected, made) with these arguments; `None` where that is not known."""
        if not self.known:
            return None
        found = set(self.kinds)
        for name in self.named:
            given = args.get(name)
            if given is None:
                found.update(self.usual)
            elif isinstance(given, str):
                found.add(given)
            else:
                return None
        return frozenset(found) if found <= set(DIMENSIONS) else None

    def reach(self, args: Mapping[str, Any]) -> dict[str, int] | None:
        """How many labels to either side count, by dimension; `None` where all may, or where it is not known."""
        if self.cells is not None:
            return dict.fromkeys(self.kinds, self.cells)
        parameter, word = self.beyond
        given = args.get(parameter)
        if given == word or not (given is None or isinstance(given, (str, int, float))):
            return None  # the other end counts, or it may: what is given is known when the graph is run
        rows = args.get(self.size) if self.size else None
        if not isinstance(rows, Sequence) or not rows or not isinstance(rows[0], Sequence):
            return None
        return dict(zip(self.kinds, (len(rows) // 2, len(rows[0]) // 2), strict=True))


def along(
    *kinds: str, argument: str | tuple[str, ...] = (), usual: tuple[str, ...] = (), gone: bool = False
) -> Mixes:
    """All along these dimensions, and along those that arguments name."""
    named = (argument,) if isinstance(argument, str) else argument
    return Mixes(kinds=kinds, named=named, usual=usual, gone=gone)


def within(cells: int | None = None, *kinds: str, argument: str = "") -> Mixes:
    """So many labels to either side along these dimensions.

    Args:
        cells: How many; `None` where an argument tells.
        kinds: Along which dimensions.
        argument: Names the parameter that tells how far: a list of rows of weights.
    """
    return Mixes(kinds=kinds, cells=cells, size=argument)


def selecting(*kinds: str, argument: str | tuple[str, ...] = (), usual: tuple[str, ...] = ()) -> Mixes:
    """Nothing: some labels along these dimensions are kept as they are, whatever their cells hold."""
    return replace(along(*kinds, argument=argument, usual=usual), does="selects")


def making(*kinds: str) -> Mixes:
    """Nothing: a cube comes out, with these dimensions, and nothing goes in."""
    return Mixes(kinds=kinds, does="makes", cubes=())


nothing = Mixes()
"""Each cell depends on the cells at its own labels alone."""
unknown = Mixes(known=False)
"""Nothing is known, so that nothing may be left out."""
