"""Writes a sheet as a Python function that numba compiles: row by row of cells, date by date, vectorised along x.

The function is `kernel(planes..., places, dates, pairs, out, shape)`. A plane is the memory that its numbers lie in,
whatever else lies there: `places` (planes + 1, 3) says where the first number is, and how far it is to the next date and
to the next row; the numbers of a row lie side by side. So it is with `out`, whose place is the last one; `shape` are its
rows and columns. `dates` (planes, dates) are the indices along time that are gone through; `pairs` is the sorting network
for so many dates. Operations along time are done in as many passes as they are nested.

Where one pass of sums and the like is enough, the dates can come a few at a time: `kernel(planes..., places, dates,
sums..., first, last, out, shape)` begins its sums anew with the first of them, and writes the result with the last.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.kernel.sheet import FORMS, RANKED, STREAMED, Row, Sheet
from engine.kernel.spelling import array, cast, dtype_of, literal, neutral, safe

HEAD = '''"""Written by the engine; made anew when needed."""
import numba
import numpy as np

'''


@dataclass(frozen=True)
class Formula:
    """A kernel and the planes that it takes."""

    text: str
    """Its source."""
    planes: tuple[int, ...]
    """Numbers of the planes, in the order of its parameters."""
    timed: bool
    """Does it give a value for each date?"""
    sums: tuple[str, ...] | None
    """Types of what it keeps for each cell while dates come a few at a time; `None` where it needs them all at once."""


@dataclass
class Text:
    """Lines of code with their depth."""

    lines: list[str] = field(default_factory=list)

    def add(self, depth: int, *lines: str) -> None:
        """Put lines under each other."""
        self.lines += ["    " * depth + line for line in lines]


def written(sheet: Sheet, result: int) -> Formula:
    """The kernel of a row. Kernels that do the same to other planes have the same text."""
    needed = sheet.needed(result)
    planes = tuple(dict.fromkeys(sheet.rows[n].told for n in needed if sheet.rows[n].op == "plane"))
    names = {n: f"v{i}" for i, n in enumerate(needed)}
    pen = Pen(sheet, result, needed, names, {p: f"p{i}" for i, p in enumerate(planes)})
    sums = tuple(dtype for _, dtype in pen.kept()) if pen.streams else None
    return Formula(pen.text(), planes, sheet.rows[result].timed, sums)


@dataclass
class Pen:
    """Writes one kernel."""

    sheet: Sheet
    result: int
    needed: list[int]
    names: dict[int, str]
    """Name of each row's value."""
    planes: dict[int, str]
    """Name of each plane."""

    @property
    def rows(self) -> list[tuple[int, Row]]:
        """The rows that are needed."""
        return [(n, self.sheet.rows[n]) for n in self.needed]

    def text(self) -> str:
        """The whole module."""
        out = Text()
        last = self.sheet.rows[self.result]
        types = [f"{dtype_of(self.sheet, p).replace('bool', 'boolean')}[::1]" for p in self.planes]
        types += ["int64[:, ::1]", "int64[:, ::1]"]
        names = [*self.planes.values(), "places", "dates"]
        sums = [f"{name}_sum" for name, _ in self.kept()] if self.streams else []
        if self.streams:
            types += [*(array(dtype) for _, dtype in self.kept()), "boolean", "boolean"]
            names += [*sums, "first", "last", "out", "shape"]
        else:
            types += ["int64[:, ::1]"]
            names += ["pairs", "out", "shape"]
        signature = ", ".join([*types, f"{last.dtype.replace('bool', 'boolean')}[::1]", "int64[::1]"])
        out.add(0, f'@numba.njit("void({signature})", cache=True, nogil=True, error_model="numpy")')
        out.add(0, f"def kernel({', '.join(names)}):")
        out.add(1, "count = dates.shape[1]", "height, width = shape[0], shape[1]")
        out.add(1, f"start, each, down = places[{len(self.planes)}]")
        if not self.streams:
            for n, row in self.along_time():
                self.declare(out, n, row)
        out.add(1, "for y in range(height):")
        if sums:  # where all dates come at once, one line is enough for all rows
            out.add(2, f"kept = y if {sums[0]}.shape[0] == height else 0")
        for name in sums:
            out.add(2, f"{name.removesuffix('_sum')}_row = {name}[kept]")
        for level in sorted({row.level for _, row in self.along_time()}):
            self.one_pass(out, level)
        self.store(out, last)
        return HEAD + "\n".join(out.lines) + "\n"

    @property
    def streams(self) -> bool:
        """Can the dates come a few at a time?"""
        gathered = [row for _, row in self.along_time()]
        one_pass = all(row.op in STREAMED and row.level == 1 for row in gathered)
        return bool(gathered) and one_pass and not self.sheet.rows[self.result].timed

    def along_time(self) -> list[tuple[int, Row]]:
        """The operations along time."""
        return [(n, row) for n, row in self.rows if row.op in STREAMED | RANKED]

    def kept(self) -> list[tuple[str, str]]:
        """What operations along time keep for each cell, by name, with its type."""
        found = []
        for n, row in self.along_time():
            found.append((self.names[n], row.dtype))
            if row.op == "earliest":
                found.append((f"{self.names[n]}_seen", "bool"))
        return found

    def declare(self, out: Text, n: int, row: Row) -> None:
        """What an operation along time keeps for a row of cells."""
        name = self.names[n]
        if row.op == "earliest":
            out.add(1, f"{name}_seen_row = np.empty(width, np.bool_)")
        if row.op in RANKED:
            out.add(1, f"{name}_all = np.empty((max(count, 1), width), np.{row.within})")
            out.add(1, f"{name}_n = np.empty(width, np.int64)")
        out.add(1, f"{name}_row = np.empty(width, np.{safe(row.dtype)})")

    def one_pass(self, out: Text, level: int) -> None:
        """Go through the dates once, for the operations of one level."""
        wanted = [(n, row) for n, row in self.along_time() if row.level == level]
        for n, row in wanted:
            name = self.names[n]
            depth = 2
            if self.streams:
                out.add(2, "if first:")
                depth = 3
            out.add(depth, "for x in range(width):", f"    {name}_row[x] = {neutral(row)}")
            if row.op == "earliest":
                out.add(depth, "for x in range(width):", f"    {name}_seen_row[x] = False")
            if row.op in RANKED:
                out.add(2, "for x in range(width):", f"    {name}_n[x] = 0")
        inputs = self.anew({a for _, row in wanted for a in row.args})
        out.add(2, "for i in range(count):")
        self.lines_of(out, 3, inputs)
        out.add(3, "for x in range(width):")
        self.cells(out, 4, inputs)
        for n, row in wanted:
            self.step(out, n, row)
        for n, row in wanted:
            if row.op in RANKED:
                self.rank(out, n, row)

    def lines_of(self, out: Text, depth: int, rows: Iterable[int]) -> None:
        """Name the lines of the planes that are read."""
        numbers = {p: i for i, p in enumerate(self.planes)}
        for n in rows:
            row = self.sheet.rows[n]
            if row.op == "plane":
                plane, k = self.planes[row.told], numbers[row.told]
                date = f" + dates[{k}, i] * places[{k}, 1]" if row.timed else ""
                out.add(depth, f"{plane}_from = places[{k}, 0]{date} + y * places[{k}, 2]")
                out.add(depth, f"{plane}_line = {plane}[{plane}_from : {plane}_from + width]")

    def cells(self, out: Text, depth: int, rows: Iterable[int]) -> None:
        """Compute the rows for one cell."""
        for n in rows:
            row = self.sheet.rows[n]
            name = self.names[n]
            if row.op == "plane":
                out.add(depth, f"{name} = {self.planes[row.told]}_line[x]")
            elif row.op in STREAMED | RANKED:
                out.add(depth, f"{name} = {name}_row[x]")
            elif row.op != "constant":
                out.add(depth, f"{name} = {self.formula(row)}")

    def formula(self, row: Row) -> str:
        """A row as an expression."""
        if row.op == "select":
            condition, *branches = row.args
            args = [self.value(condition, "bool"), *(self.value(b, row.within) for b in branches)]
        else:
            args = [self.value(a, row.within) for a in row.args]
        return cast(f"({FORMS[row.op].format(*args)})", row.dtype)

    def value(self, n: int, dtype: str) -> str:
        """The value of a row in a type."""
        row = self.sheet.rows[n]
        if row.op == "constant":
            return literal(row.told, dtype)
        return self.names[n] if row.dtype == dtype else cast(self.names[n], dtype)

    def step(self, out: Text, n: int, row: Row) -> None:
        """Take one more date into an operation along time."""
        name = self.names[n]
        value = self.value(row.args[0], row.within)
        counts = self.value(row.args[1], "bool") if len(row.args) > 1 else "True"
        if row.op in RANKED:
            out.add(4, f"{name}_all[i, x] = {value} if {counts} else {cast('np.inf', row.within)}")
            out.add(4, f"{name}_n[x] += 1 if {counts} else 0")
        elif row.op == "sum":
            out.add(
                4,
                f"{name}_row[x] += {value if counts == 'True' else f'({value} if {counts} else {literal(0, row.within)})'}",
            )
        elif row.op == "latest":
            out.add(4, f"{name}_row[x] = {value} if {counts} else {name}_row[x]")
        elif row.op == "earliest":
            out.add(4, f"{name}_row[x] = {name}_row[x] if {name}_seen_row[x] or not {counts} else {value}")
            out.add(4, f"{name}_seen_row[x] |= {counts}")
        elif row.op == "any":
            out.add(
                4, f"{name}_row[x] |= {value}" if counts == "True" else f"{name}_row[x] |= {value} & {counts}"
            )
        else:
            sign = "<" if row.op == "least" else ">"
            out.add(
                4,
                f"{name}_row[x] = {value} if ({counts}) and {value} {sign} {name}_row[x] else {name}_row[x]",
            )

    def rank(self, out: Text, n: int, row: Row) -> None:
        """Sort the dates of each cell by the network, and take the value at the wanted rank."""
        name = self.names[n]
        out.add(
            2,
            "for k in range(pairs.shape[0]):",
            f"    low = {name}_all[pairs[k, 0]]",
            f"    high = {name}_all[pairs[k, 1]]",
            "    for x in range(width):",
            "        a = low[x]",
            "        b = high[x]",
            "        low[x] = a if a < b else b",
            "        high[x] = b if a < b else a",
            "for x in range(width):",
            f"    last = {name}_n[x] - 1 if {name}_n[x] > 0 else 0",
            f"    rank = {row.told!r} * last",
            "    before = int(np.floor(rank))",
            f"    rest = {cast('(rank - before)', row.within)}",
            f"    below = {name}_all[before, x]",
            f"    above = {name}_all[before + 1 if before < last else last, x]",
            f"    {name}_row[x] = below if rest == 0 else below * ({literal(1, row.within)} - rest) + above * rest",
        )

    def store(self, out: Text, last: Row) -> None:
        """Compute the result and put it into `out`."""
        if last.timed:
            out.add(2, "for i in range(count):")
            depth, date = 3, " + i * each"
        else:
            depth, date = 2, ""
        if self.streams:
            out.add(2, "if not last:", "    continue")
        inputs = self.anew({self.result})
        self.lines_of(out, depth, inputs)
        out.add(
            depth, f"at = start{date} + y * down", "line = out[at : at + width]", "for x in range(width):"
        )
        self.cells(out, depth + 1, inputs)
        out.add(depth + 1, f"line[x] = {self.value(self.result, last.dtype)}")

    def anew(self, wanted: set[int]) -> list[int]:
        """The rows that are computed for these in one pass: not those that went into operations along time before."""
        found: set[int] = set()
        waiting = list(wanted)
        while waiting:
            n = waiting.pop()
            if n not in found:
                found.add(n)
                row = self.sheet.rows[n]
                waiting += [] if row.op in STREAMED | RANKED else row.args
        return sorted(found)
