"""`noria features`: what the feature store holds, as the Glue catalogue describes it."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console

from infra.cli.backfill import backfill
from infra.cli.compact import compact
from infra.cli.options import AsJson, Local, StackName
from infra.cli.tables import Columns, Row, print_table
from noria.common.messages import counted

app = typer.Typer(no_args_is_help=True, help="Feature store: sets, their versions and columns.")
app.command()(backfill)
app.command()(compact)
SetName = Annotated[str, typer.Argument(metavar="SET", help="The feature set.")]
DIGITS = 6
SETS = Columns(("set", "version", "entity key", "columns", "rows", "runs", "table"),
               cut=("runs", "table", "columns"), wrapped="entity key")  # fmt: skip
FEATURES = Columns(
    ("feature", "type", "present", "distinct", "range", "mean", "meaning"),
    cut=("distinct", "mean", "present", "range"), wrapped="meaning",
)  # fmt: skip


@app.callback()
def features() -> None:
    """Feature store: sets, their versions and columns."""


@app.command("list")
def list_sets(stack: StackName, as_json: AsJson = False, local: Local = None) -> None:
    """List the feature sets with their versions, keys and rows."""
    registry = _registry(stack, local)
    told = [registry.describe(one.name, one.version) for one in registry.feature_sets()]
    if as_json:
        print(json.dumps(told, indent=2))
        return
    if told:
        print_table(SETS, [_set_row(one) for one in told])
    else:
        print(f"no feature set yet: a run of stack '{stack}' makes the first")


def _set_row(one: dict[str, Any]) -> Row:
    definition = one["definition"]
    key = ", ".join(column["name"] for column in definition["entity_key"]) or "none"
    runs = len(one["runs"]) + one["runs_forgotten"]
    counts = (f"{len(definition['features'])}", f"{one['rows']:,}", f"{runs:,}")
    values = (definition["name"], f"{definition['version']}", key, *counts, one["table"])
    return dict(zip(SETS.names, values, strict=True))


@app.command()
def describe(
    stack: StackName,
    name: SetName = "features",
    version: Annotated[int | None, typer.Option(help="Default: the latest.")] = None,
    as_json: AsJson = False,
    local: Local = None,
) -> None:
    """Tell what a feature set holds: columns, meanings, and what the latest write brought."""
    told = _registry(stack, local).describe(name, version)
    if as_json:
        print(json.dumps(told, indent=2))
        return
    console = Console()
    for line in _heading(told):
        console.print(line, highlight=False, markup=False)
    print_table(FEATURES, _columns(told), console)


@app.command()
def compare(
    stack: StackName,
    before: Annotated[int, typer.Argument(metavar="BEFORE", help="The earlier version.")],
    after: Annotated[int, typer.Argument(metavar="AFTER", help="The later version.")],
    name: Annotated[str, typer.Option("--set", help="The feature set.")] = "features",
    local: Local = None,
) -> None:
    """Tell how two versions of a feature set differ."""
    found = _registry(stack, local).compare(name, before, after)
    for line in found.sentences or ["no difference"]:
        print(line)
    readers = "can read" if found.compatible else "cannot read"
    print(f"readers of version {before} {readers} version {after}")


def _registry(stack: str, local: str | None) -> Any:
    from infra.cli.deployed_stack import StackAccess
    from noria.feature_store.registry import open_registry

    access = StackAccess.open(stack, local=local)
    clients = access.client("s3"), access.client("glue")
    return open_registry(clients[0], access.bucket, clients[1], access.outputs["DatabaseName"])


def _heading(told: dict[str, Any]) -> list[str]:
    definition = told["definition"]
    key = ", ".join(_named(column) for column in definition["entity_key"])
    latest = told["statistics"]
    lines = [
        f"{definition['name']}, version {definition['version']} (table {told['table']})",
        f"  {definition['description']}",
        f"  entity key: {key or 'none: nothing can be looked up'}",
        f"  event time: {definition['event_time']}",
        f"  source: {definition['source']}",
        f"  rows: {told['rows']:,} from {_origins(told)}, in {counted(told['files'], 'file')} of "
        f"{told['bytes'] / 2**20:,.1f} MiB",
    ]
    if latest:
        lines.append(f"  the latest write: {counted(latest['rows'], 'row')} of run {latest['run']}")
    return lines


def _origins(told: dict[str, Any]) -> str:
    runs = len(told["runs"]) + told["runs_forgotten"]
    counts = {"run": runs, "backfill": len(told["backfills"])}
    return " and ".join(counted(n, what) for what, n in counts.items() if n or what == "run")


def _columns(told: dict[str, Any]) -> list[Row]:
    rows: list[Row] = []
    for feature in told["definition"]["features"]:
        found = told["statistics"].get("columns", {}).get(feature["name"], {})
        counts = (_shown(found.get(name)) for name in ("present", "distinct_values"))
        ends = [_shown(found.get(name)) for name in ("minimum", "maximum")]
        values = (feature["name"], feature["kind"], *counts, " to ".join(filter(None, ends)),
                  _shown(found.get("mean")), _meaning(feature))  # fmt: skip
        rows.append(dict(zip(FEATURES.names, values, strict=True)))
    for window in told["definition"]["windows"]:
        # Computed when they are asked for, so that there is nothing stored to count.
        told_of = {"feature": window["name"], "type": "window", "meaning": window["description"]}
        rows.append(dict.fromkeys(FEATURES.names, "") | told_of)
    return rows


def _named(column: dict[str, Any]) -> str:
    """A column of the key, with what the data call it."""
    return " ".join(filter(None, [column["name"], _of_the_data(column)]))


def _meaning(feature: dict[str, Any]) -> str:
    parts = [_of_the_data(feature), feature["description"]]
    if feature["time_to_live"]:
        parts.append(f"for {feature['time_to_live']}")
    if feature["afterwards"]:
        parts.append("known afterwards only")
    return ", ".join(filter(None, parts))


def _of_the_data(column: dict[str, Any]) -> str:
    """The data's column that a column of the store holds, where it is called otherwise."""
    source = column["source_column"]
    return f"(column {source!r})" if source not in (None, column["name"]) else ""


def _shown(value: Any) -> str:
    """A value in few digits; DuckDB writes numbers as text where they are least or most."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return "" if value is None else str(value)[:20]
    return f"{number:,.0f}" if number.is_integer() else f"{number:,.{DIGITS}g}"
