"""The report's chapter on the data: what was found in sentences, pictures, the table of columns."""

from collections.abc import Mapping, Sequence
from typing import Any

from noria.common.formatting import date, measured, number, share, shortened
from noria.common.messages import counted
from noria.core.reporting import charts, grid_charts
from noria.core.reporting import html as parts
from noria.core.reporting.findings import findings
from noria.core.reporting.time_section import distribution, target_name, time_pictures

Document = Mapping[str, Any]
STRONGEST = 12
INCOMPLETE = 12
PATTERNS = 6
LONGEST = 40


def analysis_section(analysis: Document, problem: Document) -> str:
    """Render an `AnalysisResult` dump; empty when there was none."""
    if not analysis:
        return ""
    pictures = [
        _target(analysis, problem),
        _relations(analysis),
        *time_pictures(analysis, problem),
        *[
            parts.card(f"{item['column']} by {target_name(problem)}", distribution(item))
            for item in analysis.get("distributions") or []
        ],
        _missing(analysis),
        _missing_together(analysis),
    ]
    return (
        "<h2>The data, set against the question</h2>"
        f'<div class="card">{parts.bullets(findings(analysis, problem))}</div>'
        f'<div class="grid-of-charts">{"".join(pictures)}</div>'
        f'<div class="card">{_columns(analysis)}{_pairs(analysis)}</div>'
    )


def _target(analysis: Document, problem: Document) -> str:
    target, name = analysis.get("target") or {}, target_name(problem)
    balance = (target.get("balance") or [])[:STRONGEST]
    if balance:
        notes = [f"{share(item['share'])} ({item['count']:,})" for item in balance]
        items = [(str(item["value"]), float(item["share"])) for item in balance]
        picture = charts.bars(f"Balance of {name}", items, "share of rows", notes=notes)
        return parts.card(f"Balance of {name}", picture)
    quantiles, edges = target.get("quantiles") or [], target.get("edges") or []
    if not quantiles or not edges:
        return ""
    picture = charts.histogram(f"Spread of {name}", edges, {"rows": target["shares"]}, name)
    middle = f"median {number(quantiles[3])}, half of the rows "
    middle += f"{number(quantiles[2])} to {number(quantiles[4])}"
    return parts.card(f"Spread of {name}", picture + parts.soft(middle))


def _relations(analysis: Document) -> str:
    columns = (analysis.get("columns") or [])[:STRONGEST]
    items = [(str(c["name"]), float(c["related"]["strength"])) for c in columns]
    notes = [
        measured(c["related"]["measure"], c["related"]["value"])
        if c["related"]["significant"]
        else "no more than chance"
        for c in columns
    ]
    unit = "strength: 0 none, 1 decides the target alone"
    title = "What goes with the target"
    return parts.card(title, charts.bars(title, items, unit, notes=notes))


def _missing(analysis: Document) -> str:
    columns = analysis.get("columns") or []
    items = sorted(
        ((str(c["name"]), float(c["profile"]["missing"])) for c in columns),
        key=lambda item: -item[1],
    )
    items = [item for item in items if item[1] > 0][:INCOMPLETE]
    notes = [share(value) for _, value in items]
    picture = charts.bars("Missing values", items, "share of all rows without a value", notes=notes)
    return parts.card("What is missing", picture)


def _missing_together(analysis: Document) -> str:
    missing = analysis.get("missing") or {}
    columns = [str(name) for name in missing.get("columns") or []]
    found = [
        (float(pattern["share"]), pattern["columns"])
        for pattern in (missing.get("patterns") or [])[:PATTERNS]
    ]
    title = "What is missing together"
    shown = [name for name in columns if any(name in names for _, names in found)]
    return parts.card(title, grid_charts.patterns(title, shown, found)) if len(shown) > 1 else ""


def _columns(analysis: Document) -> str:
    head = [
        "column",
        "kind",
        "missing",
        "distinct",
        "bits",
        "middle",
        "measure",
        "value",
        "p",
        "drift",
    ]
    rows = [_column_row(column) for column in analysis.get("columns") or []]
    table = parts.table(head, rows)
    note = "Bits: entropy. p: corrected for all columns. Drift: PSI of the last third to the first."
    title = "The only column" if len(rows) == 1 else f"All {len(rows):,} columns"
    return f"<details><summary>{title}</summary>{table}{parts.soft(note)}</details>"


def _column_row(column: Document) -> Sequence[Any]:
    profile, related = column["profile"], column["related"]
    return [
        column["name"],
        profile["kind"],
        share(profile["missing"]),
        profile["distinct"],
        float(f"{profile['entropy']:.2f}"),
        _middle(profile),
        related["measure"],
        related["value"],
        related["p_value"],
        column.get("drift"),
    ]


def _middle(profile: Document) -> str:
    quantiles, top = profile.get("quantiles") or [], profile.get("top") or []
    often = ", ".join(
        f"{shortened(str(item['value']), LONGEST)} {share(item['share'])}" for item in top[:3]
    )
    if profile["kind"] == "text" and quantiles:
        length = f"{number(quantiles[3])} words ({number(quantiles[0])} to {number(quantiles[-1])})"
        return f"{length}, often {often}"
    if quantiles:
        shown = date if profile["kind"] == "timestamp" else number
        return f"{shown(quantiles[3])} ({shown(quantiles[0])} to {shown(quantiles[-1])})"
    return often


def _pairs(analysis: Document) -> str:
    pairs = analysis.get("redundant") or []
    if not pairs:
        return ""
    sentences = [pair["sentence"] for pair in pairs]
    return (
        f"<details><summary>{counted(len(pairs), 'pair')} of columns of which one adds little"
        "</summary>"
        f"{parts.bullets(sentences, len(pairs))}</details>"
    )
