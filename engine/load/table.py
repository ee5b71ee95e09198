"""Turns STAC items and the wished bands into one small table: a row per item, a source per band."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pystac
from odc.geo.geobox import GeoBox

from engine.errors import Problem
from engine.load.described import bands_of, data_assets, grid_of, href_of, moment_of
from engine.load.files import header, shown
from engine.load.model import Band, Scene, Source, Table, Wish

Say = Callable[[str], None]
Key = tuple[str, int]
"""Asset key and number of the band in it, from 1."""

AT_ONCE = 8
"""Headers that are read at the same time where the metadata lack a grid."""


@dataclass(frozen=True)
class Choice:
    """One band of the cube, and where the first item has it."""

    key: Key
    """Asset and number of the band."""
    band: Band
    """As that item describes it; its name is the one there."""
    label: str
    """Its name in the cube."""


def tabulate(items: Sequence[pystac.Item], wish: Wish, say: Say) -> Table:
    """The table of the wished bands; headers are opened only for what the metadata lack."""
    named = frozenset(wish.bands or ())
    choices = choose_bands(known_bands(items, named), wish.bands)
    scenes = [_scene(item, choices, wish, named, say) for item in items]
    scenes = _complete([scene for scene in scenes if scene.sources], say)
    bands = tuple(replace(choice.band, name=choice.label) for choice in choices)
    return Table(bands, tuple(sorted(scenes, key=lambda scene: (scene.when, scene.id))))


def known_bands(items: Sequence[pystac.Item], named: frozenset[str]) -> dict[Key, Band]:
    """All bands of the data assets, in the order of the items; an asset is described by the first that has it."""
    known: dict[Key, Band] = {}
    seen: set[str] = set()
    for item in items:
        if seen.issuperset(item.assets):
            continue
        for key, asset in data_assets(item, "raster", named).items():
            if key not in seen:
                known |= {(key, i): band for i, band in enumerate(bands_of(key, asset, item.properties), 1)}
        seen.update(item.assets)
    return known


def choose_bands(known: Mapping[Key, Band], wished: Sequence[str] | None) -> tuple[Choice, ...]:
    """The wished bands in the order wished, or all.

    A name goes before an asset key, an asset key before a common name (which may mean several bands). A band is
    labelled by its name, or by the asset key where it was asked for by that.
    """
    if wished is None:
        return _distinct([Choice(key, band, band.name) for key, band in known.items()])
    return _distinct([choice for name in wished for choice in _matches(known, name)])


def _matches(known: Mapping[Key, Band], name: str) -> list[Choice]:
    sizes: dict[str, int] = {}
    for asset, _ in known:
        sizes[asset] = sizes.get(asset, 0) + 1
    # a picture asset repeats bands that also stand alone: the asset with fewer bands is meant
    lone_first = sorted(known, key=lambda key: sizes[key[0]])
    by_name = [key for key in lone_first if known[key].name == name]
    if by_name:
        return [Choice(by_name[0], known[by_name[0]], name)]
    if name in sizes:
        keys = [key for key in known if key[0] == name]
        return [Choice(key, known[key], name if len(keys) == 1 else known[key].name) for key in keys]
    common: dict[str, Key] = {}
    for key in lone_first:
        if known[key].common_name == name:
            common.setdefault(known[key].name, key)
    if not common:
        raise _no_such_band(known, name)
    return [
        Choice(key, known[key], known[key].name) for key in sorted(common.values(), key=list(known).index)
    ]


def _distinct(choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """Each band once; bands of one name in several assets are told apart by the asset key."""
    once = {choice.key: choice for choice in reversed(choices)}
    taken: dict[str, Choice] = {}
    for key in dict.fromkeys(choice.key for choice in choices):
        choice = once[key]
        label = choice.label
        if label in taken:
            label = f"{key[0]}_{label}"
        taken[label] = replace(choice, label=label)
    return tuple(taken.values())


def _no_such_band(known: Mapping[Key, Band], name: str) -> Problem:
    names = list(dict.fromkeys(band.name for band in known.values()))
    common = list(dict.fromkeys(band.common_name for band in known.values() if band.common_name))
    spelled = {word.lower(): word for word in (*common, *(asset for asset, _ in known), *names)}
    near = [spelled[word] for word in difflib.get_close_matches(name.lower(), list(spelled), n=3, cutoff=0.5)]
    return Problem(
        "ProcessParameterInvalid",
        f"there is no band {name!r}; the items have the bands {', '.join(names) or 'none'}"
        + (f" with the common names {', '.join(common)}." if common else "."),
        hint=f"Did you mean {' or '.join(map(repr, near))}?" if near else "Choose one of these.",
        facts={"band": name, "bands": names, "common_names": common},
    )


def _scene(
    item: pystac.Item, choices: Sequence[Choice], wish: Wish, named: frozenset[str], say: Say
) -> Scene:
    sources = {c.label: s for c in choices if (s := _source(item, c, wish, named)) is not None}
    lacking = [choice.label for choice in choices if choice.label not in sources]
    if lacking:
        say(f"item {item.id!r} has no {', '.join(lacking)}: no-data there")
    return Scene(item.id, moment_of(item), item.properties, sources)


def _source(item: pystac.Item, choice: Choice, wish: Wish, named: frozenset[str]) -> Source | None:
    found = _find(item, choice, named)
    if found is None:
        return None
    (key, index), band = found
    asset = item.assets[key]
    return Source(
        item=item.id,
        asset=key,
        index=index,
        href=href_of(item, key, asset),
        geobox=grid_of(item, asset),
        dtype=band.data_type,
        nodata=band.nodata if wish.nodata is None else wish.nodata,
        scale=band.scale,
        offset=band.offset,
        scaled=wish.scale == "metadata",
        classified=band.classified,
        egress=wish.egress,
        radar=band.radar,
    )


def _find(item: pystac.Item, choice: Choice, named: frozenset[str]) -> tuple[Key, Band] | None:
    """Where this item has the band: under the same asset key, else under the same name or common name."""
    key, index = choice.key
    asset = item.assets.get(key)
    if asset is not None:
        bands = bands_of(key, asset, item.properties)
        for i, band in enumerate(bands, 1):
            if band.name == choice.band.name:
                return (key, i), band
        return ((key, index), bands[index - 1]) if index <= len(bands) else None
    known = known_bands([item], named)
    for same in ("name", "common_name"):
        told = getattr(choice.band, same)
        hits = [key for key, band in known.items() if told is not None and getattr(band, same) == told]
        if hits and (same == "name" or len(hits) == 1):
            return hits[0], known[hits[0]]
    return None


def _complete(scenes: Sequence[Scene], say: Say) -> list[Scene]:
    """Fill what the metadata lack from the files: grids from each, types and tags from the first of its kind."""
    gridless = [s for scene in scenes for s in scene.sources.values() if s.geobox is None]
    if gridless:
        say(f"the metadata of {len(gridless)} assets lack CRS, shape or transform: their headers are opened")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(header, gridless))
    firsts: dict[tuple[str, int], Source] = {}
    return [replace(scene, sources=_filled(scene, firsts, say)) for scene in scenes]


def _filled(scene: Scene, firsts: dict[tuple[str, int], Source], say: Say) -> dict[str, Source]:
    filled = {}
    for label, source in scene.sources.items():
        if source.geobox is None:
            source = replace(source, geobox=_grid_told_by_file(source))
        tagless = source.nodata is None and (source.dtype is None or "int" in source.dtype)
        if source.dtype is None or tagless:
            first = firsts.setdefault((source.asset, source.index), source)
            if first is source:
                lacks = " and ".join(
                    what
                    for what, is_so in (("type", source.dtype is None), ("no-data value", tagless))
                    if is_so
                )
                say(f"the metadata of band {label!r} lack the {lacks}: one header is opened")
            dtype, tag = _told_by_file(first)
            source = replace(source, dtype=source.dtype or dtype, tag=tag if source.nodata is None else None)
        filled[label] = source
    return filled


def _grid_told_by_file(source: Source) -> GeoBox:
    grid = header(source).geobox
    if grid is None:
        raise Problem(
            "FileContentInvalid",
            f"neither the metadata nor the file of asset {source.asset!r} of item {source.item!r} tell where its pixels lie.",
            hint="Give the item proj:code, proj:shape and proj:transform.",
            facts={"item": source.item, "asset": source.asset, "href": shown(source.href)},
        )
    return grid


def _told_by_file(source: Source) -> tuple[str, float | None]:
    told = header(source)
    if source.index > len(told.dtypes):
        raise Problem(
            "FileContentInvalid",
            f"asset {source.asset!r} of item {source.item!r} has {len(told.dtypes)} bands, band {source.index} was described.",
            hint="Correct the item's description of its bands.",
            facts={"item": source.item, "asset": source.asset, "band": source.index},
        )
    return told.dtypes[source.index - 1], told.tags[source.index - 1]
