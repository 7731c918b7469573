"""The report's pictures along time: the target, its seasons, the rows, and what has moved."""

from collections.abc import Mapping
from typing import Any

from noria.common.formatting import duration, joined_with_and, moment, p_value, share
from noria.core.reporting import charts, grid_charts
from noria.core.reporting.blocks import Block, Card, Remark, bullets, card, remark

Document = Mapping[str, Any]
MOST_SHIFTS = 10


def target_name(problem: Document) -> str:
    """The name of what is predicted."""
    target = problem.get("target") or "target"
    return str(target.get("name", "target") if isinstance(target, Mapping) else target)


def is_share(problem: Document) -> bool:
    """Whether the target's mean is a share of rows."""
    return problem.get("task") != "regression"


def series_label(problem: Document, names: list[str]) -> str:
    """What the mean of the target says: the share of one class or of several, or a mean."""
    name = target_name(problem)
    if not is_share(problem):
        return f"mean of {name}"
    return f"share with {name} = {names[0]}" if len(names) == 1 else "share of the rows"


def time_pictures(analysis: Document, problem: Document) -> list[Card | None]:
    """Render one card for each picture that the analysis has data for."""
    return [
        _target_over_time(analysis, problem),
        *[_season(season, problem) for season in analysis.get("seasons") or []],
        _heat_map(analysis.get("heat_map") or {}, problem),
        _rows_over_time(analysis),
        _shifts(analysis, problem),
        *[
            card(f"{item['column']}, first and last third", *distribution(item))
            for item in (analysis.get("shifts") or {}).get("distributions") or []
        ],
    ]


def _target_over_time(analysis: Document, problem: Document) -> Card | None:
    periods = (analysis.get("time") or {}).get("periods") or []
    names = list(periods[0]["series"]) if periods else []
    series = {
        name: [(float(item["start"]), item["series"][name]) for item in periods] for name in names
    }
    title, shares = f"{target_name(problem)} over time", is_share(problem)
    label = series_label(problem, names)
    return card(title, charts.lines(title, series, label, percent=shares, from_zero=shares))


def _rows_over_time(analysis: Document) -> Card | None:
    time = analysis.get("time") or {}
    points = [(float(item["start"]), float(item["rows"])) for item in time.get("periods") or []]
    picture = charts.lines("Rows over time", {"rows": points}, "rows per period")
    gaps = [
        f"No rows for {duration(gap['seconds'])} from {moment(gap['start'])} to "
        f"{moment(gap['end'])} UTC"
        for gap in time.get("gaps") or []
    ]
    return card("Rows over time", picture, bullets(gaps))


def _season(season: Document, problem: Document) -> Card | None:
    title = f"{target_name(problem)} by {season['name']}"
    label = series_label(problem, list(season["series"]))
    picture = grid_charts.season(
        title, season["labels"], season["series"], season["rows"], label, percent=is_share(problem)
    )
    significance = float((problem.get("analysis") or {}).get("significance", 0.05))
    told = "too small for a season" if season["p_value"] < significance else "not significant"
    told = "a season" if season["named"] else told
    note = (
        f"{share(season['effect'])} of the variation ({season['measure']}, "
        f"{p_value(season['p_value'])}): {told}. Times are UTC."
    )
    return card(title, picture, remark(note)) if picture else None


def _heat_map(found: Document, problem: Document) -> Card | None:
    if not found:
        return None
    title = f"{target_name(problem)} by day and hour"
    picture = grid_charts.heat_map(
        title, found["rows"], found["columns"], found["values"], percent=is_share(problem)
    )
    label = series_label(problem, [found["label"]])
    note = f"{label[:1].upper()}{label[1:]}, hours in UTC; empty where there is hardly a row."
    return card(title, picture, remark(note)) if picture else None


def _shifts(analysis: Document, problem: Document) -> Card | None:
    columns = (analysis.get("shifts") or {}).get("columns") or []
    shown = [(str(c["column"]), float(c["psi"])) for c in columns if not c["tells_time"]]
    limit = float((problem.get("monitoring") or {}).get("drift", 0.2))
    picture = charts.bars(
        "Drift between the first and the last third",
        shown[:MOST_SHIFTS],
        "population stability index",
        limit=(limit, f"monitoring.drift {limit:g}"),
    )
    calendar = [str(c["column"]) for c in columns if c["tells_time"]]
    told = (
        f"Not shown, as they encode the time itself: {joined_with_and(calendar)}."
        if calendar
        else ""
    )
    title = "Drift from the first to the last third"
    return card(title, picture, remark(told)) if picture else None


def distribution(item: Document) -> list[Block]:
    """Draw one distribution, of a number, a time, a category or of a text's words."""
    name, series = str(item["column"]), item["series"]
    if item["kind"] == "category":
        return [charts.grouped_bars(name, item["labels"], series)]
    if item["kind"] == "text":
        if not item["labels"]:
            return []
        told = Remark("Share of texts with a word; shown are the most discriminating words.")
        return [charts.grouped_bars(name, item["labels"], series), told]
    is_time = item["kind"] == "timestamp"
    return [charts.histogram(name, item["edges"], series, name, is_time=is_time)]
