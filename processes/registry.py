"""A process is a function with a name; the registry is a read-only table of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType, ModuleType
from typing import Any, Literal, TypeVar

from processes.mixing import Mixes, unknown
from processes.signature import Signature, read, user_name

F = TypeVar("F", bound=Callable[..., Any])

Nulls = Literal["pass", "see"]


@dataclass(frozen=True)
class Process:
    """One openEO process."""

    id: str
    """Identifier, e.g. `reduce_dimension`."""
    fn: Callable[..., Any]
    """The function itself, untouched."""
    categories: tuple[str, ...]
    """Categories, as the descriptions list them."""
    nulls: Nulls
    """`pass`: works cell by cell, and a null in a required argument gives null, so that `fn` never sees one;
    `see`: `fn` deals with nulls itself."""
    pure: bool = True
    """Does it do nothing but compute its result, so that two equal calls may become one?"""
    experimental: bool = False
    """Is it only a proposal of the specification?"""
    renamed: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Parameters that users call otherwise: name in the description of today -> name that they write."""
    mixes: Mixes = unknown
    """Along which dimensions of a cube it mixes cells: its own word to whoever plans."""

    @cached_property
    def signature(self) -> Signature:
        """Parameters, result and words, read from the function."""
        signature = read(self.fn)
        params = tuple(replace(p, name=self.renamed.get(p.name, p.name)) for p in signature.params)
        return replace(signature, params=params)

    @cached_property
    def operands(self) -> tuple[str, ...]:
        """The parameters in which a null gives null."""
        return tuple(p.name for p in self.signature.params if p.required) if self.nulls == "pass" else ()

    @cached_property
    def python_names(self) -> Mapping[str, str]:
        """User's name of a parameter -> name in Python."""
        names = {user_name(p): p for p in inspect.signature(self.fn).parameters}
        return {self.renamed.get(name, name): p for name, p in names.items()}


def process(
    *categories: str,
    nulls: Nulls = "see",
    pure: bool = True,
    experimental: bool = False,
    mixes: Mixes = unknown,
) -> Callable[[F], F]:
    """Mark a function as an openEO process. The function itself is left as it is."""

    def mark(fn: F) -> F:
        name = fn.__name__.rstrip("_")
        marked = Process(name, fn, categories, nulls, pure, experimental, mixes=mixes)
        fn.__process__ = marked  # type: ignore[attr-defined]
        return fn

    return mark


@dataclass(frozen=True, slots=True)
class Alias:
    """What became of a process that had another name before openEO processes 2."""

    process: str
    """Its name now."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Names that parameters had, where they were others -> their names now."""

    def of(self, process: Process) -> Process:
        """The process with the parameters of the old name; itself where they are the same."""
        if not self.arguments:
            return process
        return replace(process, renamed={now: old for old, now in self.arguments.items()})


ALIASES: Mapping[str, Alias] = MappingProxyType(
    {
        "create_raster_cube": Alias("create_data_cube"),
        "load_result": Alias("load_stac", {"id": "url"}),
        "text_merge": Alias("text_concat"),
    }
)
"""Names that openEO gave to processes before version 2."""


class Registry(Mapping[str, Process]):
    """Processes by id. Old names find their process, too, but are not listed."""

    def __init__(self, table: Mapping[str, Process]) -> None:
        self._table = MappingProxyType(dict(sorted(table.items())))
        self._old = MappingProxyType(
            {old: a.of(table[a.process]) for old, a in ALIASES.items() if a.process in table}
        )

    def __getitem__(self, id_: str) -> Process:
        return self._table[id_] if id_ in self._table else self._old[id_]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


def gather(modules: Iterable[ModuleType]) -> Registry:
    """Collect the marked functions of these modules; one id, one function."""
    table: dict[str, Process] = {}
    for module in modules:
        for _, fn in inspect.getmembers(module, lambda x: hasattr(x, "__process__")):
            p: Process = fn.__process__
            if table.setdefault(p.id, p) is not p:
                raise ValueError(f"process {p.id!r} is defined twice: {p.fn} and {table[p.id].fn}")
    return Registry(table)
