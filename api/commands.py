"""Commands that look after what a server keeps: the catalogue, and tokens of programs."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import click

import engine

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
catalog_option = click.option(
    "--catalog",
    help="A catalogue file or its URL, a STAC catalogue or a folder; `demo` for the sample data.",
)


@click.group()
def catalog() -> None:
    """Look after the catalogue."""


@catalog.command("add")
@click.argument("source")
@click.option("--collection", help="Id of the collection, where the source has none.")
@click.option(
    "--time", multiple=True, help="Of vector data, the property that is the time, or twice: its ends."
)
@catalog_option
@as_json_option
def add(
    source: str, collection: str | None, time: tuple[str, ...], catalog: str | None, as_json: bool
) -> None:
    """Catalogue SOURCE: STAC (also a stac-geoparquet file), a STAC API, a folder of rasters, or vector data."""
    with engine.open(catalog) as session:
        added = session.add(source, collection=collection, time=time)
    if as_json:
        print_json(
            [{"collection": a.collection, "new": a.items_new, "updated": a.items_updated} for a in added]
        )
        return
    for a in added:
        say(f"{a.collection}: {a.items_new} items new, {a.items_updated} updated")


@catalog.command("list")
@catalog_option
@as_json_option
def list_(catalog: str | None, as_json: bool) -> None:
    """List the collections of the catalogue."""
    list_collections(catalog, as_json)


@catalog.command("search")
@click.option("--collection", "collections", multiple=True, help="A collection; may be given more than once.")
@click.option("--bbox", help="West,south,east,north in WGS84 degrees.")
@click.option("--datetime", help="An instant, or an interval with / between its ends.")
@click.option("--filter", "condition", help="A condition in CQL2.")
@click.option("--sortby", help="Properties with commas between; - before a name sorts downwards.")
@click.option("--limit", default=100, show_default=True, help="Items at most.")
@catalog_option
@as_json_option
def search(
    collections: tuple[str, ...], bbox: str | None, datetime: str | None, condition: str | None, sortby: str | None,
    limit: int, catalog: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Find items: a line each, or a feature collection."""
    from api.stac.asked import by_address

    words = {"bbox": bbox, "datetime": datetime, "filter": condition, "sortby": sortby, "limit": str(limit)}
    given = [(k, v) for k, v in words.items() if v] + [("collections", id_) for id_ in collections]
    with engine.open(catalog) as session:
        page = session.catalog.find(by_address(given).search)
    if as_json:
        docs = [hit.doc for hit in page.hits]
        print_json({"type": "FeatureCollection", "features": docs, "numberMatched": page.matched})
        return
    for hit in page.hits:
        told = hit.doc["properties"].get
        ends = [str(told(name)) for name in ("start_datetime", "end_datetime") if told(name)]
        click.echo(f"{hit.doc['collection']}  {hit.doc['id']}  {told('datetime') or '/'.join(ends)}".rstrip())
    say(f"{len(page.hits)} of {page.matched} items")


@catalog.command("remove")
@click.argument("collection")
@click.argument("item", required=False)
@catalog_option
def remove(collection: str, item: str | None, catalog: str | None) -> None:
    """Remove ITEM of COLLECTION, or COLLECTION with all its items; files stay where they are."""
    change = engine.RemoveItem(collection, item) if item else engine.RemoveCollection(collection)
    with engine.open(catalog) as session:
        session.catalog.apply([change], engine.Author(source="ingest"))
    say(f"{item or collection} is gone.")


@catalog.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--collection", "collections", multiple=True, help="A collection; may be given more than once.")
@catalog_option
def export(file: Path, collections: tuple[str, ...], catalog: str | None) -> None:
    """Write collections with all their items into FILE, as stac-geoparquet; `gdc catalog add FILE` reads it again."""
    with engine.open(catalog) as session:
        count = session.catalog.export(file, collections)
    say(f"{file}: {count} items")


@click.group()
def token() -> None:
    """Look after tokens of programs, which hold longer than logins."""


@token.command("add")
@click.argument("user")
@click.option("--days", default=365.0, show_default=True, help="For how long it holds.")
def token_add(user: str, days: float) -> None:
    """Print a new token of the account USER; it is told once, and kept as a digest only."""
    with closing(engine.Backend(engine.Settings())) as backend:
        if backend.store.users.get(user) is None:
            raise click.BadParameter(f"there is no user {user!r}", param_hint="USER")
        click.echo(backend.store.users.log_in(user, days * 86_400))


@token.command("remove")
@click.argument("user")
def token_remove(user: str) -> None:
    """Make all tokens and logins of the account USER void."""
    with closing(engine.Backend(engine.Settings())) as backend:
        count = backend.store.users.log_out(user)
    say(f"{count} tokens of {user} hold no longer.")


def list_collections(catalog: str | None, as_json: bool) -> None:
    """Print the collections: JSON, or a line each."""
    with engine.open(catalog) as session:
        found = session.collections()
    if as_json:
        print_json({"collections": found})
        return
    if not found:
        say("The catalogue is empty. Fill it with `gdc catalog add SOURCE`, or try `--catalog demo`.")
    for c in found:
        dims = c.get("cube:dimensions", {})
        ends = [str(t)[:10] if t else ".." for t in c["extent"]["temporal"]["interval"][0]]
        times = "at any time" if ends == ["..", ".."] else " to ".join(ends)
        bands: list[str] = next((d.get("values", []) for d in dims.values() if d.get("type") == "bands"), [])
        held = f"{c.get('table:row_count', 0)} features" if engine.has_features(c) else ", ".join(bands)
        click.echo(f"{c['id']}  {times}  {held}")


def print_json(value: Any) -> None:
    """Print JSON for machines."""
    click.echo(json.dumps(value, indent=2, default=str))


def say(text: str) -> None:
    """Words for people."""
    click.echo(text, err=True)
