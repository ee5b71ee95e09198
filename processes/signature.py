"""Reads a process off its own function: annotations give the schemas, the docstring gives the words."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from processes.types import DEPRECATED, UNSET, Json, Schema

REQUIRED = inspect.Parameter.empty
PLAIN: Mapping[Any, Json] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
}


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a process or of a callback."""

    name: str
    """The name that users write."""
    schema: Any
    """JSON schema, or a list of alternatives."""
    text: str
    """Description in CommonMark."""
    default: Any = REQUIRED
    """Default value; `UNSET` where the parameter may be left out and has none."""
    deprecated: bool = False
    """Is it kept for old graphs only?"""
    also: Any = None
    """Schema of what is taken besides."""

    @property
    def takes(self) -> Any:
        """The schema of all that is taken."""
        if self.also is None:
            return self.schema
        return [*(self.schema if isinstance(self.schema, list) else [self.schema]), self.also]

    @property
    def required(self) -> bool:
        """Must the user give it?"""
        return self.default is REQUIRED


@dataclass(frozen=True, slots=True)
class Signature:
    """All that a description says."""

    summary: str
    """The first line, without its full stop."""
    text: str
    """The paragraphs after it."""
    params: tuple[Param, ...]
    """The user's parameters, in order."""
    returns: Param
    """The schema and words of the result."""
    raises: Mapping[str, str]
    """Names of the exceptions and when they are raised."""
    wants: frozenset[str]
    """Keyword-only names: what the engine hands in (`world`), never the user."""

    def param(self, name: str) -> Param | None:
        """The parameter of that name."""
        return next((p for p in self.params if p.name == name), None)


def read(fn: Callable[..., Any]) -> Signature:
    """Read `fn`'s signature; its parameters are the user's, its keyword-only ones the engine's."""
    doc = parse_doc(inspect.getdoc(fn) or "")
    hints = get_type_hints(fn, include_extras=True)
    given = [p for p in inspect.signature(fn).parameters.values() if p.name != "self"]
    params = tuple(
        Param(
            user_name(p.name),
            schema_of(hints[p.name]),
            doc.args.get(user_name(p.name), ""),
            p.default,
            DEPRECATED in get_args(hints[p.name]),
            next((m.also for m in get_args(hints[p.name]) if isinstance(m, Schema)), None),
        )
        for p in given
        if p.kind is not p.KEYWORD_ONLY
    )
    wants = frozenset(p.name for p in given if p.kind is p.KEYWORD_ONLY)
    returns = Param("return", schema_of(hints["return"]), doc.returns)
    return Signature(doc.summary, doc.text, params, returns, doc.raises, wants)


def user_name(name: str) -> str:
    """Python keeps some names for itself; a tail keeps them apart (`min_`), users do not see it."""
    return name.rstrip("_")


def schema_of(hint: Any) -> Any:
    """The JSON schema of an annotation: a plain type, a vocabulary type, or a callback protocol."""
    if get_origin(hint) is Annotated:
        return filled(next(m.json for m in get_args(hint) if isinstance(m, Schema)))
    if is_callback(hint):
        return callback_schema(read(hint.__call__))
    if get_origin(hint) is not None and type(None) in get_args(hint):
        (inner,) = (a for a in get_args(hint) if a is not type(None))
        return schema_of(inner)
    return PLAIN[hint]


def is_callback(hint: Any) -> bool:
    """Is this type one of the callback protocols?"""
    return bool(getattr(hint, "_is_protocol", False))


def filled(schema: Any) -> Any:
    """A schema in which callback protocols are replaced by their schemas."""
    if isinstance(schema, list):
        return [filled(s) for s in schema]
    if isinstance(schema, Mapping):
        return {k: filled(v) for k, v in schema.items()}
    return callback_schema(read(schema.__call__)) if is_callback(schema) else schema


def callback_schema(sig: Signature) -> Json:
    """The schema of a child process graph."""
    return {
        "type": "object",
        "subtype": "process-graph",
        "parameters": [param_json(p) for p in sig.params],
        "returns": {"description": sig.summary + ".", "schema": sig.returns.schema},
    }


def param_json(p: Param) -> Json:
    """A parameter as the descriptions list it."""
    out = {"name": p.name, "description": p.text, "schema": p.schema}
    if p.deprecated:
        out["deprecated"] = True
    if p.required:
        return out
    return {**out, "optional": True} | ({} if p.default is UNSET else {"default": p.default})


@dataclass(frozen=True, slots=True)
class Doc:
    """A docstring taken apart."""

    summary: str
    text: str
    args: Mapping[str, str]
    returns: str
    raises: Mapping[str, str]


SECTION = re.compile(r"^(Args|Returns|Raises|Examples|Links):\n", re.MULTILINE)


def parse_doc(doc: str) -> Doc:
    """Split a Google-style docstring into its sections."""
    head, *rest = SECTION.split(doc)
    parts = dict(zip(rest[::2], map(inspect.cleandoc, rest[1::2]), strict=True))
    summary, _, text = head.strip().partition("\n\n")
    return Doc(
        unwrap(summary).rstrip("."),
        unwrap(text),
        entries(parts.get("Args", "")),
        unwrap(parts.get("Returns", "")),
        entries(parts.get("Raises", "")),
    )


def entries(section: str) -> dict[str, str]:
    """`name: words` lines, each going on in the indented lines below it."""
    found = re.findall(r"^(\w+):\s+(.*(?:\n(?:[ \t]+.*)?)*)", section, re.MULTILINE)
    return {name: unwrap(inspect.cleandoc(words)) for name, words in found}


def unwrap(text: str) -> str:
    """Join the lines of a paragraph; keep paragraphs and list items apart."""
    return re.sub(r"(?<!\n)\n(?!\n|\s*[-*] )", " ", text.strip())
