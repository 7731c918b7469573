"""The report's chapters on the models: every candidate, and the judgement on the holdout."""

from collections.abc import Mapping, Sequence
from typing import Any

from noria.core import charts
from noria.core import report_parts as parts
from noria.core.writing import LOWER_IS_BETTER, metric, number

Document = Mapping[str, Any]
SCORES = ("score", "mean")
SHOWN_FIRST = (
    "candidate",
    *SCORES,
    "std",
    "iteration",
    "recipe",
    "fit_seconds",
    "rows",
    "features",
)
NOT_SHOWN = frozenset({"metric", "scores", "score_seconds", "folds", "seed", "notes"})
#: What the evaluation's own pictures and lists show already.
TOLD = frozenset(
    {"reasons", "weaknesses", "findings", "slices", "metric", "value", "threshold", "interval"}
)
SLICES = 12


def candidates(experiments: Sequence[Document], problem: Document) -> str:
    """Show every candidate that was tried, the best first; a failed one says why."""
    if not experiments:
        return ""
    name = str((problem.get("objective") or {}).get("metric", "score"))
    sign = 1 if name in LOWER_IS_BETTER else -1
    ordered = sorted(experiments, key=lambda item: _place(item, sign))
    known = dict.fromkeys(key for item in ordered for key in item if key not in NOT_SHOWN)
    known = {key: None for key in known if any(item.get(key) for item in ordered)}
    head = [key for key in SHOWN_FIRST if key in known]
    head += [key for key in known if key not in head]
    rows = [[parts.flat(item.get(key)) for key in head] for item in ordered]
    shown = [metric(name) if key in SCORES else key.replace("_", " ") for key in head]
    best = 0 if _score(ordered[0]) is not None else None
    note = parts.soft("Cross-validated on training rows; the holdout is not seen here.")
    return f'<h2>Candidates</h2><div class="card">{parts.table(shown, rows, best)}{note}</div>'


def _score(item: Document) -> float | None:
    found = [item[name] for name in SCORES if parts.is_number(item.get(name))]
    return float(found[0]) if found else None


def _place(item: Document, sign: int) -> tuple[bool, float]:
    score = _score(item)
    return (score is None, sign * score if score is not None else 0.0)


def evaluation(document: Document) -> str:
    """Show the judgement on the holdout: a picture, where the model is weak, then all numbers."""
    if not document:
        return ""
    cards = [
        parts.card("Against the objective", _against(document)),
        parts.card("Why", parts.bullets(document.get("reasons") or [])),
        parts.card("Where it is weak", parts.bullets(document.get("weaknesses") or [])),
        parts.card("All metrics", _facts(document.get("metrics"))),
        parts.card("Other numbers", _facts(_others(document))),
        *[
            parts.card(str(name).replace("_", " "), parts.facts(value))
            for name, value in document.items()
            if name not in TOLD | {"metrics", "baselines"} and _is_nested(value) and value
        ],
    ]
    return (
        f'<h2>Evaluation on the holdout</h2><div class="grid-of-charts">{"".join(cards)}</div>'
        f"{_slices(document.get('slices') or [])}"
    )


def _against(document: Document) -> str:
    """Draw the model beside what needs no ML and the champion, with the threshold as limit."""
    name, value, threshold = (document.get(key) for key in ("metric", "value", "threshold"))
    if not parts.is_number(value) or not parts.is_number(threshold):
        return ""
    compared = document.get("comparison") or {}
    scores = [
        ("this run's model", value),
        ("the champion", compared.get("champion_value")),
        *[
            (f"without ML: {key}", score)
            for key, score in (document.get("baselines") or {}).items()
        ],
    ]
    items = [(label, float(score)) for label, score in scores if parts.is_number(score)]
    notes = [number(score, 4) for _, score in items]
    picture = charts.bars(
        "Against the objective", items, metric(str(name)), notes=notes,
        limit=(float(threshold), f"wanted {threshold:g}"),
    )  # fmt: skip
    interval = document.get("interval") or {}
    if not parts.is_number(interval.get("low")) or not parts.is_number(interval.get("high")):
        return picture
    return picture + parts.soft(
        f"{interval.get('confidence', 0.95):.0%} bootstrap interval of the model: "
        f"{number(interval['low'], 4)} to {number(interval['high'], 4)}, on "
        f"{document.get('rows', 0):,} rows it never saw."
    )


def _facts(value: Any) -> str:
    return parts.facts(value) if value else ""


def _others(document: Document) -> dict[str, Any]:
    return {
        name: value
        for name, value in document.items()
        if name not in TOLD and not _is_nested(value) and value is not None
    }


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple)


def _slices(found: Sequence[Document]) -> str:
    if not found:
        return ""
    shown = parts.facts(found[:SLICES])
    if len(found) > SLICES:
        rest = f"<summary>{len(found) - SLICES} more slices</summary>{parts.facts(found[SLICES:])}"
        shown += f"<details>{rest}</details>"
    return parts.card("Slices", shown)
