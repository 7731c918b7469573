"""`noria models`: the model versions of a stack, how each was judged, and what became of it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from infra.cli import model_changes
from infra.cli.deployed_stack import StackAccess
from infra.cli.errors import UsageMistakeError
from infra.cli.model_list import MODELS, ModelVersion, minute, read_versions
from infra.cli.options import AsJson, Local, StackName
from infra.cli.run_records import REPORTS, Bucket, shown_path
from infra.cli.tables import Columns, Row, print_table

app = typer.Typer(no_args_is_help=True, help="Model versions: which served when, and why.")
MOST_IMPORTANT = 5  # features that `show` names
VERSIONS = Columns(
    ("version", "status", "score", "candidate", "recipe", "rows", "promoted", "started by", "run"),
    cut=("run", "rows", "started by", "recipe", "promoted", "candidate"),
)  # fmt: skip
Version = Annotated[
    str | None,
    typer.Argument(metavar="MODEL_VERSION", help="Default: the champion's."),
]


app.command()(model_changes.promote)
app.command()(model_changes.rollback)
app.command()(model_changes.retire)


@app.callback()
def models() -> None:
    """Model versions: which served when, and why."""


@app.command("list")
def list_versions(stack: StackName, as_json: AsJson = False, local: Local = None) -> None:
    """List the versions, the oldest first: score on its own holdout, and what became of it."""
    found = read_versions(_bucket(stack, local))
    if as_json:
        print(json.dumps([one.document() for one in found], indent=2))
    elif found:
        print_table(VERSIONS, [_row(one) for one in found])
    else:
        print(f"no model yet: start a run with `noria run {stack}`")


@app.command()
def show(
    stack: StackName, version: Version = None, as_json: AsJson = False, local: Local = None
) -> None:
    """Tell how a version was judged and why it serves or not; download its model card."""
    bucket = _bucket(stack, local)
    one = _chosen(read_versions(bucket), version, stack)
    reasons = _reasons(bucket, one)
    files = (bucket.json(f"{MODELS}{one.name}/manifest.json") or {}).get("sha256", {})
    card = _save_card(bucket, stack, one.name)
    shown = shown_path(card) if card else None
    if as_json:
        more = {"reasons": reasons, "sha256": files, "model_card": shown}
        print(json.dumps(one.document() | more, indent=2))
        return
    console = Console()
    for line in [*_told(one), *(f"why: {reason}" for reason in reasons)]:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(f"model card: {shown or 'none'}", highlight=False, markup=False, soft_wrap=True)


@app.command()
def compare(
    stack: StackName,
    versions: Annotated[list[str], typer.Argument(metavar="MODEL_VERSION...", help="Two or more.")],
    as_json: AsJson = False,
    local: Local = None,
) -> None:
    """Put versions side by side: how each was made, all metrics, and features that differ."""
    if len(set(versions)) < 2:
        raise UsageMistakeError("name two versions at least; `noria models list` shows them")
    known = read_versions(_bucket(stack, local))
    chosen = [_chosen(known, name, stack) for name in dict.fromkeys(versions)]
    if as_json:
        print(json.dumps([one.document() for one in chosen], indent=2))
        return
    names = [one.name for one in chosen]
    print_table(Columns(("of each", *names)), _side_by_side(chosen))
    for line in _differing(chosen):
        print(line)
    print(
        "Each score is of the version's own holdout. `noria models show` tells of a version how it "
        "did against the champion of its time, on the same rows."
    )


def _bucket(stack: str, local: str | None) -> Bucket:
    access = StackAccess.open(stack, local=local)
    return Bucket(access.client("s3"), access.bucket)


def _chosen(known: Sequence[ModelVersion], name: str | None, stack: str) -> ModelVersion:
    """The version of a name, or the champion; UsageMistakeError names those that there are."""
    wanted = [
        one for one in known if (one.status == "champion" if name is None else one.name == name)
    ]
    if wanted:
        return wanted[0]
    what = "champion" if name is None else f"model version '{name}'"
    there = ", ".join(one.name for one in known) or "none"
    raise UsageMistakeError(f"stack '{stack}' has no {what}; its versions: {there}")


def _row(one: ModelVersion) -> Row:
    return {
        "version": one.name,
        "status": one.status,
        "score": one.score,
        "candidate": one.signature.get("candidate", ""),
        "recipe": one.signature.get("recipe", ""),
        "rows": _count(one.rows),
        "promoted": minute(one.promoted["promoted_at"]) if one.promoted else "",
        "started by": one.started_by,
        "run": one.run_id,
    }


def _told(one: ModelVersion) -> list[str]:
    """Sentences on one version."""
    lines = [
        f"{one.name}: {one.status}",
        f"trained by run {one.run_id}, turn {one.iteration}, started by {_article(one.started_by)}",
    ]
    if one.signature:
        lines.append(
            f"{_made_of(one.signature)}, fitted on {_count(one.rows)} rows of "
            f"{len(one.features)} columns"
        )
    return [*lines, *_judged(one.evaluation), *_important(one.signature)]


def _made_of(signature: Mapping[str, Any]) -> str:
    members = [
        f"{one['weight']:.0%} {one['candidate']} ({one['recipe']})"
        for one in signature.get("blend", [])
    ]
    told = ", ".join(members) or f"recipe {signature['recipe']}"
    return f"{signature['candidate']}, {told}"


def _judged(evaluation: Mapping[str, Any]) -> list[str]:
    """How the version did on its holdout, against the objective and against the champion."""
    if not evaluation:
        return ["not evaluated"]
    low, high = evaluation["interval"]["low"], evaluation["interval"]["high"]
    sure = "no interval" if low is None else f"interval {low:.4f} to {high:.4f}"
    lines = [
        f"{evaluation['metric']} {evaluation['value']:.4f} ({sure}) on "
        f"{evaluation['rows']:,} rows; objective {evaluation['threshold']:g}"
    ]
    baselines = evaluation.get("baselines", {})
    if baselines:
        told = ", ".join(f"{name} {value:.4f}" for name, value in baselines.items())
        lines.append(f"baselines: {told}")
    comparison = evaluation.get("comparison")
    if comparison:
        lines.append(f"against the champion of its time: {comparison['reason']}")
    return lines


def _important(signature: Mapping[str, Any]) -> list[str]:
    importances: dict[str, float] = signature.get("importances", {})
    first = sorted(importances, key=lambda name: -importances[name])[:MOST_IMPORTANT]
    return [f"most important: {', '.join(first)}"] if first else []


def _reasons(bucket: Bucket, one: ModelVersion) -> list[str]:
    """Why its run ended as it did; of an earlier turn, what was weak."""
    weak: list[str] = one.evaluation.get("weaknesses", [])
    ending = bucket.json(f"runs/{one.run_id}/ending.json") or {}
    same = one.promoted or one.ending == ending.get("ending")
    found = list(ending.get("reasons", [])) if same else weak
    if one.by_hand:
        told = f"{one.by_hand['action']} by {one.by_hand['by']}: {one.by_hand['reason']}"
        found = [told, *found]
    return [f"retired: {one.retired}", *found] if one.retired else found


def _save_card(bucket: Bucket, stack: str, version: str) -> Path | None:
    content = bucket.get(f"{MODELS}{version}/model_card.html")
    if content is None:
        return None
    file = REPORTS / stack / "models" / f"{version}.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def _side_by_side(chosen: Sequence[ModelVersion]) -> list[Row]:
    """A row for each property, and for each metric that one of them has."""
    metrics = dict.fromkeys(name for one in chosen for name in one.evaluation.get("metrics", {}))
    kept = ("status", "candidate", "recipe", "rows", "started by", "promoted")
    rows: list[Row] = [
        {"of each": name, **{one.name: _row(one)[name] for one in chosen}} for name in kept
    ]
    for metric in metrics:
        values = {
            one.name: _decimal(one.evaluation.get("metrics", {}).get(metric)) for one in chosen
        }
        rows.append({"of each": metric, **values})
    return rows


def _differing(chosen: Sequence[ModelVersion]) -> list[str]:
    """Sentences on columns that not all of them read."""
    shared = set.intersection(*(set(one.features) for one in chosen))
    own = {one.name: [name for name in one.features if name not in shared] for one in chosen}
    return [f"not read by all, by {name}: {', '.join(more)}" for name, more in own.items() if more]


def _count(rows: int | None) -> str:
    return "" if rows is None else f"{rows:,}"


def _decimal(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _article(who: str) -> str:
    return f"an {who}" if who == "alarm" else f"a {who}"
