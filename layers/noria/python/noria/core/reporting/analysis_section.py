"""The report's chapter on the data: what was found in sentences, pictures, the table of columns."""

from collections.abc import Mapping, Sequence
from typing import Any

from noria.common.formatting import date, measured, number, share, shortened
from noria.common.messages import counted
from noria.core.reporting import blocks, charts, grid_charts
from noria.core.reporting.findings import findings
from noria.core.reporting.time_section import distribution, target_name, time_pictures

Document = Mapping[str, Any]
STRONGEST = 12
INCOMPLETE = 12
PATTERNS = 6
LONGEST = 40


def analysis_section(analysis: Document, problem: Document) -> blocks.Chapter | None:
    """Render an `AnalysisResult` dump; empty when there was none."""
    if not analysis:
        return None
    pictures = [
        _target(analysis, problem),
        _relations(analysis),
        *time_pictures(analysis, problem),
        *[
            blocks.card(f"{item['column']} by {target_name(problem)}", *distribution(item))
            for item in analysis.get("distributions") or []
        ],
        _missing(analysis),
        _missing_together(analysis),
    ]
    return blocks.chapter(
        "Data analysis",
        blocks.card("", blocks.bullets(findings(analysis, problem))),
        blocks.grid(*pictures),
        blocks.card("", _columns(analysis), _pairs(analysis)),
    )


def _target(analysis: Document, problem: Document) -> blocks.Card | None:
    target, name = analysis.get("target") or {}, target_name(problem)
    balance = (target.get("balance") or [])[:STRONGEST]
    if balance:
        notes = [f"{share(item['share'])} ({item['count']:,})" for item in balance]
        items = [(str(item["value"]), float(item["share"])) for item in balance]
        picture = charts.bars(f"Balance of {name}", items, "share of rows", notes=notes)
        return blocks.card(f"Balance of {name}", picture)
    quantiles, edges = target.get("quantiles") or [], target.get("edges") or []
    if not quantiles or not edges:
        return None
    picture = charts.histogram(f"Spread of {name}", edges, {"rows": target["shares"]}, name)
    middle = f"median {number(quantiles[3])}, half of the rows "
    middle += f"{number(quantiles[2])} to {number(quantiles[4])}"
    return blocks.card(f"Spread of {name}", picture, blocks.remark(middle))


def _relations(analysis: Document) -> blocks.Card | None:
    columns = (analysis.get("columns") or [])[:STRONGEST]
    items = [(str(c["name"]), float(c["related"]["strength"])) for c in columns]
    notes = [
        measured(c["related"]["measure"], c["related"]["value"])
        if c["related"]["significant"]
        else "not significant"
        for c in columns
    ]
    unit = "strength: 0 none, 1 determines the target"
    title = "Association with the target"
    return blocks.card(title, charts.bars(title, items, unit, notes=notes))


def _missing(analysis: Document) -> blocks.Card | None:
    columns = analysis.get("columns") or []
    items = sorted(
        ((str(c["name"]), float(c["profile"]["missing"])) for c in columns),
        key=lambda item: -item[1],
    )
    items = [item for item in items if item[1] > 0][:INCOMPLETE]
    notes = [share(value) for _, value in items]
    picture = charts.bars("Missing values", items, "share of all rows without a value", notes=notes)
    return blocks.card("Missing values by column", picture)


def _missing_together(analysis: Document) -> blocks.Card | None:
    missing = analysis.get("missing") or {}
    columns = [str(name) for name in missing.get("columns") or []]
    found = [
        (float(pattern["share"]), pattern["columns"])
        for pattern in (missing.get("patterns") or [])[:PATTERNS]
    ]
    title = "Values missing together"
    shown = [name for name in columns if any(name in names for _, names in found)]
    return blocks.card(title, grid_charts.patterns(title, shown, found)) if len(shown) > 1 else None


def _columns(analysis: Document) -> blocks.Folded:
    head = [
        "column",
        "kind",
        "missing",
        "distinct",
        "entropy",
        "median or most frequent",
        "measure",
        "value",
        "p",
        "drift",
    ]
    rows = [_column_row(column) for column in analysis.get("columns") or []]
    note = (
        "Entropy in bits. p: corrected for all columns (Holm). "
        "Drift: PSI of the last third to the first."
    )
    title = "The only column" if len(rows) == 1 else f"All {len(rows):,} columns"
    return blocks.Folded(title, [blocks.TableBlock(head, rows), blocks.Remark(note)])


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


def _pairs(analysis: Document) -> blocks.Folded | None:
    pairs = analysis.get("redundant") or []
    if not pairs:
        return None
    sentences = [pair["sentence"] for pair in pairs]
    summary = f"{counted(len(pairs), 'pair')} of redundant columns"
    return blocks.Folded(summary, [blocks.Bullets(sentences, len(pairs))])
