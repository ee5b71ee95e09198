"""The forms that coverages are given in, and the one that a client wants: by `f`, else by `Accept`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine import Problem


@dataclass(frozen=True, slots=True)
class Form:
    """A form of answers."""

    title: str
    """Its name for people."""
    media_type: str
    aliases: tuple[str, ...] = ()
    """Other names: short ones, those of openEO, suffixes of files."""
    further: tuple[str, ...] = ()
    """Other media types; who asks for one of them is answered with it."""
    suffix: str = ""
    """What names of files end with; none where it is no file."""
    made_of: str = ""
    """The form of the engine that it is made of, where that is another one."""


JSON = Form("JSON", "application/json", ("cis",), ("application/cis+json",), ".json")
HTML = Form("a page for people", "text/html", ("htm",))
FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "geotiff": Form(
            "Cloud Optimized GeoTIFF",
            "image/tiff; application=geotiff",
            ("tif", "tiff", "gtiff", "cog"),
            (
                "image/tiff; application=geotiff; profile=cloud-optimized",
                "application/x-geotiff",
                "image/geotiff",
            ),
            ".tif",
        ),
        "netcdf": Form("NetCDF", "application/x-netcdf", ("nc", "netcdf4"), ("application/netcdf",), ".nc"),
        "png": Form("PNG, to look at", "image/png", suffix=".png"),
        "json": JSON,
        "covjson": Form(
            "CoverageJSON",
            "application/vnd.cov+json",
            ("coveragejson",),
            ("application/prs.coverage+json",),
            ".covjson",
        ),
        "html": HTML,
        "zarr": Form(
            "Zarr, in a ZIP archive", "application/zip", ("zip",), ("application/zarr+zip",), ".zarr.zip"
        ),
        "multipart": Form(
            "CIS JSON with the values as NetCDF",
            "multipart/related",
            ("multipart/related",),
            made_of="netcdf",
        ),
    }
)
"""Those of coverages, the first being the usual one."""
DESCRIBING: Mapping[str, Form] = MappingProxyType({"json": JSON, "html": HTML})
"""Those of what describes a coverage."""


@dataclass(frozen=True, slots=True)
class Range:
    """One element of an `Accept` header."""

    kind: str
    """Type and subtype, `*` for any."""
    parameters: frozenset[str]
    quality: float

    def takes(self, media_type: str) -> bool:
        """Does it stand for a media type?"""
        kind, parameters = parsed(media_type)
        alike = self.kind in ("*/*", kind) or self.kind == f"{kind.partition('/')[0]}/*"
        return alike and self.parameters <= parameters

    @property
    def precision(self) -> tuple[bool, bool, int]:
        """How much it says; what says most counts."""
        return self.kind != "*/*", not self.kind.endswith("/*"), len(self.parameters)


def wanted(forms: Mapping[str, Form], asked: str | None, accept: str) -> tuple[str, str]:
    """The name of the form that is wanted, and the media type to answer with.

    Raises:
        Problem: There is no such form (400), or none of those is accepted (406).
    """
    known = ", ".join(f"{name} ({form.media_type})" for name, form in forms.items())
    if asked is not None:
        for name, form in forms.items():
            if found := named(name, form, asked):
                return name, found
        raise Problem(
            "ParameterInvalid", f"f: there is no form {asked[:60]!r}", hint=f"There are {known}.",
            facts={"parameter": "f"},
        )  # fmt: skip
    ranges = [range_of(part) for part in accept.split(",") if part.strip()] or [
        Range("*/*", frozenset(), 1.0)
    ]
    best: tuple[float, str, str] = (0.0, "", "")
    for name, form in forms.items():
        for media_type in (form.media_type, *form.further):
            quality = quality_of(media_type, ranges)
            if quality > best[0]:
                best = quality, name, media_type
    if not best[1]:
        raise Problem(
            "NotAcceptable",
            f"nothing of what is accepted is there: {accept[:200]}",
            hint=f"There are {known}.",
        )
    return best[1], best[2]


def named(name: str, form: Form, asked: str) -> str | None:
    """The media type to answer with, where a form is asked for by one of its names."""
    low = asked.strip().lower()
    if low in (name, *form.aliases):
        return form.media_type
    kind, parameters = parsed(low.replace(" json", "+json"))  # `+` in an address is a space
    for media_type in (form.media_type, *form.further):
        if parsed(media_type)[0] == kind and parameters <= parsed(media_type)[1]:
            return media_type
    return None


def quality_of(media_type: str, ranges: list[Range]) -> float:
    """How welcome a media type is."""
    taking = [one for one in ranges if one.takes(media_type)]
    return max(taking, key=lambda one: one.precision).quality if taking else 0.0


def range_of(text: str) -> Range:
    """One element of an `Accept` header; one that has no sense is of no quality."""
    kind, parameters = parsed(text)
    quality = 1.0
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = float(parameter[2:])
            except ValueError:
                quality = 0.0
    return Range(kind, frozenset(p for p in parameters if not p.startswith("q=")), quality)


def parsed(media_type: str) -> tuple[str, frozenset[str]]:
    """Type with subtype, and the parameters, without spaces and quotes, in lower case."""
    kind, *parameters = ("".join(part.split()).replace('"', "").lower() for part in media_type.split(";"))
    return kind, frozenset(filter(None, parameters))
