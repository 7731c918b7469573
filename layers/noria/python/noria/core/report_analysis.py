"""The report's chapter on the data: pictures first, then the table of columns."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from noria.core import charts
from noria.core import report_parts as parts

Document = Mapping[str, Any]
STRONGEST = 12
INCOMPLETE = 12


def analysis_section(analysis: Document, problem: Document) -> str:
    """Render an `Analysis` dump; empty when there was none."""
    if not analysis:
        return ""
    pictures = [
        _target(analysis, problem),
        _target_over_time(analysis, problem),
        _rows_over_time(analysis),
        _relations(analysis),
        _missingness(analysis),
        *[_distribution(item) for item in analysis.get("distributions") or []],
    ]
    cards = "".join(f'<div class="card">{picture}</div>' for picture in pictures if picture)
    return (
        f"<h2>The data, set against the question</h2>"
        f'<div class="card">{parts.bullets(findings(analysis))}</div>'
        f'<div class="grid-of-charts">{cards}</div>{_columns(analysis)}'
    )


def findings(analysis: Document) -> list[str]:
    """Say in sentences what the numbers show."""
    columns = analysis.get("columns") or []
    significant = [c for c in columns if (c.get("related") or {}).get("significant")]
    sentences = [
        f"{analysis.get('rows', 0):,} rows: {analysis.get('training_rows', 0):,} to learn from, "
        f"{analysis.get('holdout_rows', 0):,} held out.",
        f"{len(significant)} of {len(columns)} columns go with the target beyond chance.",
    ]
    time = analysis.get("time")
    if time:
        sentences.append(
            f"From {charts.date(time['start'])} to {charts.date(time['end'])}; "
            f"the longest gap between rows is {_duration(time['longest_gap'])}."
        )
    suspects = analysis.get("leakage_suspects") or []
    if suspects:
        sentences.append(
            f"Leakage suspects, each nearly decides the target alone: {', '.join(suspects)}. "
            "If known only afterwards, list them in features.exclude."
        )
    same = [f"{item['first']} and {item['second']}" for item in analysis.get("redundant") or []]
    if same:
        more = f" and {len(same) - 8} more pairs" if len(same) > 8 else ""
        sentences.append(f"Say almost the same: {'; '.join(same[:8])}{more}.")
    drifted = analysis.get("drifted") or []
    if drifted:
        sentences.append(f"Differ between the first and the last third: {', '.join(drifted)}.")
    return [*sentences, *(analysis.get("notes") or [])]


def _duration(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} seconds"


def _target(analysis: Document, problem: Document) -> str:
    target = analysis.get("target") or {}
    name = str((problem.get("target") or {}).get("name", "target"))
    balance = target.get("balance") or []
    if balance:
        notes = [f"{item['share']:.1%} ({item['count']:,})" for item in balance[:STRONGEST]]
        items = [(str(item["value"]), float(item["share"])) for item in balance[:STRONGEST]]
        chart = charts.bars(f"Balance of {name}", items, "share of rows", notes=notes, highest=1.2)
        return f"<h3>Balance of {escape(name)}</h3>{chart}"
    quantiles = target.get("quantiles") or []
    if not quantiles:
        return ""
    edges, shares = target.get("edges") or [], target.get("shares") or []
    chart = charts.histogram(f"Spread of {name}", edges, {"rows": shares}, name) if edges else ""
    middle = f"median {charts.number(quantiles[3])}, half of the rows "
    middle += f"{charts.number(quantiles[2])} to {charts.number(quantiles[4])}"
    return f'<h3>Spread of {escape(name)}</h3>{chart}<p class="soft">{middle}</p>'


def _target_over_time(analysis: Document, problem: Document) -> str:
    periods = (analysis.get("time") or {}).get("periods") or []
    points = [(float(item["start"]), item.get("target")) for item in periods]
    is_class = problem.get("task") == "binary"
    name = str((problem.get("target") or {}).get("name", "target"))
    label = "share of positives" if is_class else "mean"
    chart = charts.line(f"{name} over time", points, label, percent=is_class)
    return f"<h3>{escape(name)} over time</h3>{chart}" if chart else ""


def _rows_over_time(analysis: Document) -> str:
    periods = (analysis.get("time") or {}).get("periods") or []
    points = [(float(item["start"]), float(item["rows"])) for item in periods]
    chart = charts.line("Rows over time", points, "rows per period")
    return f"<h3>Rows over time</h3>{chart}" if chart else ""


def _relations(analysis: Document) -> str:
    columns = (analysis.get("columns") or [])[:STRONGEST]
    if not columns:
        return ""
    items = [(str(c["name"]), float(c["related"]["strength"])) for c in columns]
    notes = [
        f"{charts.number(c['related']['value'])} {c['related']['measure']}"
        if c["related"]["significant"]
        else "chance"
        for c in columns
    ]
    chart = charts.bars(
        "Strength of relation to the target",
        items,
        "0: none, 1: decides the target alone",
        notes=notes,
        highest=max(1.6 * max(value for _, value in items), 0.2),
    )
    return f"<h3>What goes with the target</h3>{chart}"


def _missingness(analysis: Document) -> str:
    columns = analysis.get("columns") or []
    items = sorted(
        ((str(c["name"]), float(c["profile"]["missing"])) for c in columns),
        key=lambda item: -item[1],
    )
    items = [item for item in items if item[1] > 0][:INCOMPLETE]
    if not items:
        return ""
    notes = [f"{share:.1%}" for _, share in items]
    chart = charts.bars("Missing values", items, "share of rows without a value", notes=notes)
    return f"<h3>What is missing</h3>{chart}"


def _distribution(item: Document) -> str:
    name, series = str(item["column"]), item["series"]
    if item["kind"] == "category":
        chart = charts.grouped_bars(f"{name} by target", item["labels"], series)
    else:
        is_time = item["kind"] == "timestamp"
        chart = charts.histogram(f"{name} by target", item["edges"], series, name, is_time=is_time)
    return f"<h3>{escape(name)}</h3>{chart}"


def _columns(analysis: Document) -> str:
    head = ["column", "kind", "missing", "distinct", "middle", "measure", "value", "p", "drift"]
    rows = [_column_row(column) for column in analysis.get("columns") or []]
    table = parts.table(head, rows)
    return (
        f'<div class="card" style="margin-top:14px"><details><summary>All {len(rows)} columns'
        f"</summary>{table}</details></div>"
    )


def _column_row(column: Document) -> Sequence[Any]:
    profile, related = column["profile"], column["related"]
    return [
        column["name"],
        profile["kind"],
        f"{profile['missing']:.1%}",
        profile["distinct"],
        _middle(profile),
        related["measure"],
        related["value"],
        related["p_value"],
        column.get("drift"),
    ]


def _middle(profile: Document) -> str:
    quantiles, top = profile.get("quantiles") or [], profile.get("top") or []
    if quantiles:
        shown = charts.date if profile["kind"] == "timestamp" else charts.number
        return f"{shown(quantiles[3])} ({shown(quantiles[0])} to {shown(quantiles[-1])})"
    return ", ".join(f"{item['value']} {item['share']:.0%}" for item in top[:3])
