"""The command line: `gdc`. Words for people go to stderr, results for machines to stdout."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

import engine
from api.commands import as_json_option, catalog, catalog_option, list_collections, print_json, say, token

if TYPE_CHECKING:
    from engine import Problem, Session

OK, GRAPH_ERROR, USAGE, NO_DATA, OVER_LIMIT, INTERNAL = range(6)
CODES = {
    "NoDataAvailable": NO_DATA,
    "DataCubeEmpty": NO_DATA,
    "ProcessGraphComplexity": OVER_LIMIT,
    "InfrastructureBusy": INTERNAL,
    "Internal": INTERNAL,
    "StorageFailure": INTERNAL,
}
USAGE_CODES = {"FilePathInvalid", "FileNotFound"}
param_option = click.option(
    "--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter; JSON or text."
)


class Commands(click.Group):
    """Commands whose problems become messages and exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except engine.Problem as problem:
            fail(problem)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:  # noqa: BLE001 (the last resort: say what happened, exit 5)
            say(f"internal error: {type(error).__name__}: {error}")
            say("Please report this with the graph that led to it.")
            sys.exit(INTERNAL)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="geodatacube", prog_name="gdc")
def main() -> None:
    """Run openEO process graphs over satellite and climate data."""


@main.command()
@click.option(
    "-o", "--out", default="gdc-demo", type=click.Path(path_type=Path), help="Folder for the results."
)
@as_json_option
def demo(out: Path, as_json: bool) -> None:
    """Make sample scenes, run a first graph over them, and show where the results are."""
    written = engine.first_run(out, say=say, shown=not as_json and sys.stderr.isatty())
    if as_json:
        print_json({"files": {k: str(v) for k, v in written.items()}})
        return
    gdc = "gdc" if shutil.which("gdc") else sys.argv[0]  # as it can be called from here
    say("")
    for what, path in written.items():
        say(f"{what:<10} {path}")
    say(
        "\nWhat to try next:\n"
        f"  {gdc} collections --catalog demo\n"
        f"  {gdc} explain {written['graph']} --catalog demo\n"
        f'  {gdc} run {written["graph"]} --catalog demo -o june.tif --param \'time=["2022-06-01", "2022-07-01"]\'\n'
        f"  {gdc} processes ndvi"
    )


@main.command()
@click.argument("graph")
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path), help="The file; its suffix is the format."
)
@click.option("--format", "format_", help="File format, where the suffix does not say it.")
@click.option(
    "--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the file format."
)
@click.option("--overwrite", is_flag=True, help="Replace the file where it is there already.")
@param_option
@catalog_option
@as_json_option
def run(
    graph: str, out: Path, format_: str | None, options: tuple[str, ...], overwrite: bool,
    params: tuple[str, ...], catalog: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Run GRAPH (a JSON file, or - for standard input) and write its result."""
    with opened(catalog) as session, engine.bar(f"writing {out.name}", shown=sys.stderr.isatty()) as progress:
        written = session.save(
            read_graph(graph), out, pairs(params), format=format_, options=pairs(options),
            overwrite=overwrite, progress=progress,
        )  # fmt: skip
    files = [str(asset.href) for w in written for asset in w.assets]
    if as_json:
        print_json({"files": files, "items": [str(w.item_path) for w in written]})
        return
    for name in files:
        say(f"wrote {name}")


@main.command()
@click.argument("graph")
@param_option
@catalog_option
@as_json_option
def validate(graph: str, params: tuple[str, ...], catalog: str | None, as_json: bool) -> None:
    """Say everything that is wrong with GRAPH, without reading a pixel."""
    with opened(catalog) as session:
        problems = session.validate(read_graph(graph), pairs(params))
    if as_json:
        print_json({"errors": [p.json() for p in problems]})
    for problem in problems:
        say(str(problem))
    if not problems:
        say("The graph is valid.")
    sys.exit(exit_code(problems[0]) if problems else OK)


@main.command()
@click.argument("graph")
@param_option
@catalog_option
@as_json_option
def explain(graph: str, params: tuple[str, ...], catalog: str | None, as_json: bool) -> None:
    """Say what GRAPH reads and gives, how it is computed and what that costs, without reading a pixel."""
    with opened(catalog) as session:
        explanation = session.explain(read_graph(graph), pairs(params))
    if as_json:
        print_json(explanation.json())
    else:
        click.echo(str(explanation))


@main.command()
@as_json_option
def calibrate(as_json: bool) -> None:
    """Measure this machine, so that `explain` can tell how long a graph takes on it."""
    with opened(None) as session:
        found = session.calibrate(say)
        figures, path = found.json(), found.path(session.settings.home)
    if as_json:
        print_json({**figures, "file": str(path)})
        return
    for line in found.lines():
        click.echo(line)
    say(f"wrote {path}")


@main.command()
@click.argument("id_", metavar="[ID]", required=False)
@as_json_option
def processes(id_: str | None, as_json: bool) -> None:
    """List the processes, or show the page of one."""
    with opened(None) as session:
        described = session.processes()
        if id_ is not None:
            page = session.process_page(id_)
            described = [p for p in described if p["id"] == id_]
    if as_json:
        print_json(described[0] if id_ is not None else {"processes": described})
    elif id_ is not None:
        click.echo(page, nl=False)
    else:
        width = max(len(p["id"]) for p in described)
        for p in described:
            click.echo(f"{p['id']:<{width}}  {p['summary']}")


@main.command()
@catalog_option
@as_json_option
def collections(catalog: str | None, as_json: bool) -> None:
    """List the collections of the catalogue."""
    list_collections(catalog, as_json)


main.add_command(catalog)
main.add_command(token)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=8080, show_default=True, help="Port to listen at; 0 takes a free one.")
@click.option("--demo", is_flag=True, help="Serve the sample data, with the user demo (password demo).")
@click.option("--anonymous", is_flag=True, help="Let people in without a login; they share one account.")
@click.option("--tls-cert", type=click.Path(exists=True, dir_okay=False), help="Certificate file, for HTTPS.")
@click.option("--tls-key", type=click.Path(exists=True, dir_okay=False), help="Key file of the certificate.")
@click.option("--catalog", help="The catalogue's SQLite file, or URL of a PostgreSQL database.")
def serve(
    host: str, port: int, demo: bool, anonymous: bool,
    tls_cert: str | None, tls_key: str | None, catalog: str | None,
) -> None:  # fmt: skip
    """Serve the engine over HTTP: openEO 1.2 at / and /openeo/1.2."""
    from api.serving import listen, served

    backend = served(engine.Settings(), catalog, demo=demo, say=say, anonymous=anonymous)
    listen(backend, host, port, (tls_cert, tls_key), say)


@main.command()
@click.option("--demo", is_flag=True, help="Work for a server of the sample data.")
@click.option("--catalog", help="The catalogue's SQLite file, or URL of a PostgreSQL database.")
def worker(demo: bool, catalog: str | None) -> None:
    """Compute batch jobs of servers that share this database (GDC_DATABASE) and this home (GDC_HOME)."""
    from api.serving import served, work

    work(served(engine.Settings(), catalog, demo=demo, say=say), say)


@main.group()
def user() -> None:
    """Look after the accounts of the server."""


@user.command("add")
@click.argument("name")
@click.option(
    "--password", prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for if left out."
)
@click.option("--title", default="", help="Name for people.")
@click.option("--role", "roles", multiple=True, help="What it may do; may be given more than once.")
def user_add(name: str, password: str, title: str, roles: tuple[str, ...]) -> None:
    """Add the account NAME, or give it another password."""
    from api.auth.passwords import hashed

    with closing(engine.Backend(engine.Settings())) as backend:
        users = backend.store.users
        before = users.get(name) or engine.User(name)
        kept = frozenset(roles) or before.roles
        users.put(engine.User(name, title or before.name, kept), hashed(password))
    say(f"{name} can log in.")


@user.command("list")
def user_list() -> None:
    """List the accounts."""
    with closing(engine.Backend(engine.Settings())) as backend:
        for account in backend.store.users.all():
            click.echo(f"{account.id}  {', '.join(sorted(account.roles))}  {account.name}".rstrip())


@user.command("remove")
@click.argument("name")
def user_remove(name: str) -> None:
    """Remove the account NAME with its logins, stored processes, jobs and files."""
    with closing(engine.Backend(engine.Settings())) as backend:
        known = backend.remove_user(name)
    if not known:
        raise click.BadParameter(f"there is no user {name!r}", param_hint="NAME")
    say(f"{name} is gone.")


# ------------------------------------------------------------------------------------------- the small print
def opened(catalog: str | None) -> Session:
    """The engine over this catalogue."""
    return engine.open(catalog)


def read_graph(name: str) -> Any:
    """The graph in a file, or on standard input."""
    return sys.stdin.read() if name == "-" else Path(name)


def pairs(given: tuple[str, ...]) -> dict[str, Any]:
    """`NAME=VALUE` arguments; values are JSON where they can be read as such, else text."""
    out: dict[str, Any] = {}
    for pair in given:
        name, separator, value = pair.partition("=")
        if not separator or not name:
            raise click.BadParameter(f"{pair!r} is not of the form NAME=VALUE")
        try:
            out[name] = json.loads(value)
        except ValueError:
            out[name] = value
    return out


def exit_code(problem: Problem) -> int:
    """The exit code of a problem."""
    return USAGE if problem.code in USAGE_CODES else CODES.get(problem.code, GRAPH_ERROR)


def fail(problem: Problem) -> NoReturn:
    """Say what is wrong, and exit."""
    if "--json" in sys.argv:
        body = [p.json() for p in problem.each]
        print_json({"errors": body})
    for line in str(problem).splitlines():
        say(line)
    sys.exit(exit_code(problem))
