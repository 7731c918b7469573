"""`noria features`: what the feature store holds, as the Glue catalogue describes it."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from infra.commands.backfill import backfill, compact
from infra.commands.options import Local, StackName

app = typer.Typer(no_args_is_help=True, help="Feature store: sets, their versions and columns.")
app.command()(backfill)
app.command()(compact)
SetName = Annotated[str, typer.Argument(metavar="[SET]", help="The feature set.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
DIGITS = 6


@app.callback()
def features() -> None:
    """Feature store: sets, their versions and columns."""


@app.command("list")
def list_sets(stack: StackName, as_json: AsJson = False, local: Local = False) -> None:
    """List the feature sets with their versions, keys and rows."""
    registry = _registry(stack, local)
    told = [registry.describe(one.name, one.version) for one in registry.feature_sets()]
    if as_json:
        print(json.dumps(told, indent=2))
        return
    table = Table("set", "version", Column("entity key", overflow="fold"), "columns", "rows",
                  "runs", "table")  # fmt: skip
    for one in told:
        definition = one["definition"]
        key = ", ".join(column["name"] for column in definition["entity_key"]) or "none"
        runs = len(one["runs"]) + one["runs_forgotten"]
        counts = (f"{len(definition['features'])}", f"{one['rows']:,}", f"{runs:,}")
        table.add_row(
            definition["name"], f"{definition['version']}", escape(key), *counts, one["table"]
        )
    Console().print(table)


@app.command()
def describe(
    stack: StackName,
    name: SetName = "features",
    version: Annotated[int | None, typer.Option(help="Default: the latest.")] = None,
    as_json: AsJson = False,
    local: Local = False,
) -> None:
    """Tell what a feature set holds: columns, meanings, and what the latest write brought."""
    told = _registry(stack, local).describe(name, version)
    if as_json:
        print(json.dumps(told, indent=2))
        return
    console = Console()
    for line in _heading(told):
        console.print(line, highlight=False, markup=False)
    console.print(_columns(told))


@app.command()
def compare(
    stack: StackName,
    before: Annotated[int, typer.Argument(metavar="BEFORE", help="The earlier version.")],
    after: Annotated[int, typer.Argument(metavar="AFTER", help="The later version.")],
    name: Annotated[str, typer.Option("--set", help="The feature set.")] = "features",
    local: Local = False,
) -> None:
    """Tell how two versions of a feature set differ."""
    found = _registry(stack, local).compare(name, before, after)
    for line in found.sentences or ["no difference"]:
        print(line)
    readers = "can read" if found.compatible else "cannot read"
    print(f"readers of version {before} {readers} version {after}")


def _registry(stack: str, local: bool) -> Any:
    from infra.commands.stacks import StackAccess
    from noria.feature_registry import open_registry

    access = StackAccess.open(stack, local=local)
    clients = access.client("s3"), access.client("glue")
    return open_registry(clients[0], access.bucket, clients[1], access.outputs["DatabaseName"])


def _heading(told: dict[str, Any]) -> list[str]:
    definition = told["definition"]
    key = ", ".join(column["name"] for column in definition["entity_key"])
    latest = told["statistics"]
    lines = [
        f"{definition['name']}, version {definition['version']} (table {told['table']})",
        f"  {definition['description']}",
        f"  entity key: {key or 'none: nothing can be looked up'}",
        f"  event time: {definition['event_time']}",
        f"  source: {definition['source']}",
        f"  rows: {told['rows']:,} from {_origins(told)}, in {told['files']} files of "
        f"{told['bytes'] / 2**20:,.1f} MiB",
    ]
    if latest:
        lines.append(f"  the latest write: {latest['rows']:,} rows of run {latest['run']}")
    return lines


def _origins(told: dict[str, Any]) -> str:
    runs = len(told["runs"]) + told["runs_forgotten"]
    counts = {"runs": runs, "backfills": len(told["backfills"])}
    return " and ".join(f"{n} {what}" for what, n in counts.items() if n or what == "runs")


def _columns(told: dict[str, Any]) -> Table:
    table = Table("feature", "type", "present", "distinct", "least", "most", "mean", "meaning")
    for feature in told["definition"]["features"]:
        found = told["statistics"].get("columns", {}).get(feature["name"], {})
        numbers = [found.get(n) for n in ("present", "distinct_values")]
        bounds = [found.get(n) for n in ("minimum", "maximum", "mean")]
        table.add_row(
            escape(feature["name"]), feature["kind"], *map(_shown, numbers),
            *map(_shown, bounds), escape(_meaning(feature)),
        )  # fmt: skip
    for window in told["definition"]["windows"]:
        # Computed when they are asked for, so that there is nothing stored to count.
        table.add_row(escape(window["name"]), "window", *[""] * 5, escape(window["description"]))
    return table


def _meaning(feature: dict[str, Any]) -> str:
    parts = [feature["description"]]
    if feature["time_to_live"]:
        parts.append(f"for {feature['time_to_live']}")
    if feature["afterwards"]:
        parts.append("known afterwards only")
    return ", ".join(filter(None, parts))


def _shown(value: Any) -> str:
    """A value in few digits; DuckDB writes numbers as text where they are least or most."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return escape("" if value is None else str(value)[:20])
    return f"{number:,.0f}" if number.is_integer() else f"{number:,.{DIGITS}g}"
