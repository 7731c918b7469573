"""The experiments of a run side by side, as one self-contained HTML page."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from noria.common.formatting import metric
from noria.common.metric_table import LOWER_IS_BETTER
from noria.core.reporting import charts
from noria.core.reporting.blocks import TableBlock, card, chapter, grid, remark
from noria.core.reporting.learning_curve_section import learning_curve_blocks
from noria.core.reporting.templates import render

Document = Mapping[str, Any]
HEAD = ("rung", "candidate", "setting", "recipe", "score", "std", "seconds", "rows", "features",
        "memory", "artifact", "outcome")  # fmt: skip
UNITS = {"memory": ("memory_megabytes", 1.0), "artifact": ("artifact_bytes", 2.0**20)}  # to MB


def render_experiments(experiments: Sequence[Document], title: str) -> str:
    """Render every trial with what became of it: score against cost, rows, and parameters.

    `experiments` are the documents of the table `experiments`, of one run.
    """
    name = metric(str(experiments[0].get("metric", "score"))) if experiments else "score"
    ordered = in_order(experiments)
    rows = [[_shown(one, key) for key in HEAD] for one in ordered]
    pictures = grid(
        card("Score against cost", _costs(ordered, name)),
        card("With more rows", _rows(ordered, name)),
        card("Would more rows help the winner?", *learning_curve_blocks(ordered)),
        card("Settings against the usual one", _settings(ordered, name)),
    )
    note = remark("Cross-validated on training rows. Rungs have rows and folds of their own.")
    chapters = [
        chapter("Pictures", pictures),
        chapter("Trials", card("", TableBlock([*HEAD[:4], name, *HEAD[5:]], rows), note)),
    ]
    return render(
        "reporting/experiments_page",
        title=title,
        statement=f"{len(ordered)} trials of candidates with recipes, judged by {name}.",
        chapters=[one for one in chapters if one],
    )


def in_order(experiments: Sequence[Document]) -> list[Document]:
    """Put the last rung first, and in a rung the best score; what failed comes last."""

    def place(one: Document) -> tuple[int, int, bool, float]:
        score = one.get("score")
        sign = 1 if one.get("metric") in LOWER_IS_BETTER else -1
        turn, rung = int(one.get("iteration", 1)), int(one.get("rung", 1))
        return -turn, -rung, score is None, 0.0 if score is None else sign * float(score)

    return sorted(experiments, key=place)


def _shown(one: Document, key: str) -> Any:
    if key in UNITS:
        field, size = UNITS[key]
        return "" if one.get(field) is None else f"{float(one[field]) / size:,.1f} MB"
    found = one.get(key)
    if key == "outcome" and one.get("error"):
        return one["error"]
    return "" if found is None else found


def _costs(experiments: Sequence[Document], name: str) -> Markup:
    """Seconds and scores, by candidate; of the last rung of each turn where there are several."""
    series: dict[str, list[tuple[float, float]]] = {}
    for one in experiments:
        if one.get("score") is not None:
            point = (float(one.get("seconds") or 0.0), float(one["score"]))
            series.setdefault(str(one["candidate"]), []).append(point)
    return charts.scatter("Score against cost", series, name, "seconds of all fits and scores")


def _rows(experiments: Sequence[Document], name: str) -> Markup:
    """How the score of what was on both rungs changed with the rows: does more data help?"""
    found: dict[str, dict[float, float | None]] = {}
    for one in experiments:
        if one.get("score") is not None and one.get("rows"):
            key = f"{one['candidate']}, {one.get('recipe')}"
            rows = found.setdefault(key, {})  # its best setting's, which comes first
            rows.setdefault(float(one["rows"]), float(one["score"]))
    series = {key: sorted(points.items()) for key, points in found.items() if len(points) > 1}
    return charts.lines("Score and rows", series, name, from_zero=False, along="training rows")


def _settings(experiments: Sequence[Document], name: str) -> Markup:
    """What each setting gained over the usual parameters on the same folds."""
    gains = [
        (f"{one['candidate']}: {trial['setting']}", float(trial["gain"]))
        for one in experiments
        for trial in one.get("trials") or []
        if trial.get("gain") is not None
    ]
    best = sorted(gains, key=lambda item: -item[1])[:10]
    notes = [f"{gain:+.4f}" for _, gain in best]
    return charts.bars("Settings", best, f"gain in {name}", notes=notes)
