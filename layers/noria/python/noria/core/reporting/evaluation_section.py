"""The report's chapters on the models: every candidate, and the judgement on the holdout."""

from collections.abc import Mapping, Sequence
from typing import Any

from noria.common.formatting import metric, number
from noria.common.messages import counted
from noria.common.metric_table import LOWER_IS_BETTER
from noria.core.reporting import blocks, charts
from noria.core.reporting.learning_curve_section import learning_curve_blocks

Document = Mapping[str, Any]
SCORES = ("score", "mean")  # one number under two names: the mean of the folds
SHOWN_FIRST = (
    "candidate",
    "setting",
    "score",
    "std",
    "iteration",
    "rung",
    "recipe",
    "fit_seconds",
    "rows",
    "features",
)
#: Fields of an experiment that are told elsewhere: in words, or the same in every row.
NOT_SHOWN = frozenset(
    {*SCORES, "metric", "scores", "score_seconds", "seconds", "folds", "fold_note", "seed",
     "notes", "parameters", "trials", "trial", "learning_curve", "run_id", "code_version",
     "memory_megabytes", "artifact_bytes", "dataset_sha256", "versions"}
)  # fmt: skip
#: What the evaluation's own pictures and lists show already.
TOLD = frozenset(
    {"reasons", "weaknesses", "findings", "slices", "metric", "value", "threshold", "interval"}
)
#: What a slice is, before what was found in it.
SLICE = ("column", "value", "rows", "score", "floor", "met", "note")


def candidates(experiments: Sequence[Document], problem: Document) -> blocks.Chapter | None:
    """Show every candidate that was tried, the best first; a failed one says why."""
    if not experiments:
        return None
    name = str((problem.get("objective") or {}).get("metric", "score"))
    sign = 1 if name in LOWER_IS_BETTER else -1
    ordered = sorted(experiments, key=lambda item: _place(item, sign))
    tried = [_told(item) for item in ordered]
    if all(item.get("rung", 1) == 1 for item in tried):
        tried = [{key: found for key, found in item.items() if key != "rung"} for item in tried]
    known = dict.fromkeys(
        key for item in tried for key in item if any(one.get(key) for one in tried)
    )
    head = [key for key in SHOWN_FIRST if key in known]
    head += [key for key in known if key not in head]
    rows = [[blocks.flat(item.get(key)) for key in head] for item in tried]
    named = {"score": metric(name)}
    shown = [named.get(key, key.replace("_", " ")) for key in head]
    best = 0 if _score(ordered[0]) is not None else None
    seen = "Cross-validated on training rows; the holdout is not seen here."
    note = blocks.Remark(" ".join([seen, *fold_notes(experiments)]))
    table = blocks.TableBlock(shown, rows, best)
    folded = (_parameters(ordered), _settings(ordered, name))
    return blocks.chapter(
        "Candidates",
        blocks.card("", table, note, *folded),
        blocks.card("Would more rows help?", *learning_curve_blocks(experiments)),
    )


def fold_notes(experiments: Sequence[Document]) -> list[str]:
    """Say once what is other about the folds than the contract asked."""
    notes = dict.fromkeys(str(one["fold_note"]) for one in experiments if one.get("fold_note"))
    return [f"There were {note}." for note in notes]


def _told(item: Document) -> dict[str, Any]:
    shown = {key: value for key, value in item.items() if key not in NOT_SHOWN}
    return {**shown, "score": _score(item)}


def _parameters(experiments: Sequence[Document]) -> blocks.Folded | None:
    """List each candidate's parameters under the table, whose columns have no room for them."""
    told = [
        f"{item.get('candidate')}, iteration {item.get('iteration')}: "
        f"{blocks.flat(item['parameters'])}"
        for item in experiments
        if item.get("parameters")
    ]
    return blocks.Folded("Parameters", [blocks.Bullets(told, len(told))]) if told else None


def _settings(experiments: Sequence[Document], name: str) -> blocks.Folded | None:
    """List the settings that each candidate's search tried beside the usual one."""
    rows = [
        [
            f"{item.get('candidate')}, iteration {item.get('iteration')}",
            trial["setting"],
            "" if trial["gain"] is None else trial["gain"],
            f"{trial['folds']} of {item.get('folds')}",
            trial["outcome"],
        ]
        for item in experiments
        for trial in item.get("trials") or []
    ]
    head = ["candidate", "setting", f"gain in {metric(name)}", "folds", "outcome"]
    return blocks.Folded("Settings tried", [blocks.TableBlock(head, rows)]) if rows else None


def _score(item: Document) -> float | None:
    found = [item[name] for name in SCORES if blocks.is_number(item.get(name))]
    return float(found[0]) if found else None


def _place(item: Document, sign: int) -> tuple[bool, int, float]:
    """The last rung first, as rungs have rows and folds of their own; what failed comes last."""
    score = _score(item)
    return score is None, -int(item.get("rung", 1)), sign * score if score is not None else 0.0


def evaluation(document: Document) -> blocks.Chapter | None:
    """Show the judgement on the holdout: a picture, where the model is weak, then all numbers."""
    if not document:
        return None
    cards = [
        blocks.card("Against the objective", *_against(document)),
        blocks.card("Why", blocks.bullets(document.get("reasons") or [])),
        blocks.card("Weakest slices", blocks.bullets(document.get("weaknesses") or [])),
        blocks.card("All metrics", *_facts(document.get("metrics"))),
        blocks.card("Other numbers", *_facts(_others(document))),
        *[
            blocks.card(str(name).replace("_", " "), *blocks.facts(value))
            for name, value in document.items()
            if name not in TOLD | {"metrics", "baselines"} and _is_nested(value) and value
        ],
    ]
    return blocks.chapter(
        "Evaluation on the holdout", blocks.grid(*cards), _slices(document.get("slices") or [])
    )


def _against(document: Document) -> list[blocks.Block | None]:
    """Draw the model beside what needs no ML and the champion, with the threshold as limit."""
    name, value, threshold = (document.get(key) for key in ("metric", "value", "threshold"))
    if not blocks.is_number(value) or not blocks.is_number(threshold):
        return []
    compared = document.get("comparison") or {}
    scores = [
        ("this run's model", value),
        ("the champion", compared.get("champion_value")),
        *[
            (f"without ML: {key}", score)
            for key, score in (document.get("baselines") or {}).items()
        ],
    ]
    items = [(label, float(score)) for label, score in scores if blocks.is_number(score)]
    notes = [number(score, 4) for _, score in items]
    picture = charts.bars(
        "Against the objective", items, metric(str(name)), notes=notes,
        limit=(float(threshold), f"threshold {threshold:g}"),
    )  # fmt: skip
    return [picture, blocks.remark(_how_sure(document, metric(str(name))))]


def _how_sure(document: Document, name: str) -> str:
    """Say the model's interval and how it came about, or that there is none."""
    interval, rows = document.get("interval") or {}, int(document.get("rows") or 0)
    judged = f"on {counted(rows, 'row')} it never saw"
    if interval.get("method") == "none":
        return (
            f"No confidence interval for the {name}: every resample of the holdout scores the "
            f"same, {judged}."
        )
    low, high = interval.get("low"), interval.get("high")
    if not blocks.is_number(low) or not blocks.is_number(high):
        return ""
    said = f"{interval.get('confidence', 0.95):.0%} interval of the model"
    how = "bootstrap"
    if interval.get("method") == "exact":
        how = "Clopper-Pearson, as the bootstrap is too narrow where errors are few"
    return f"{said}: {number(low, 4)} to {number(high, 4)} ({how}), {judged}."


def _facts(value: Any) -> list[blocks.Block]:
    return blocks.facts(value) if value else []


def _others(document: Document) -> dict[str, Any]:
    return {
        name: value
        for name, value in document.items()
        if name not in TOLD and not _is_nested(value) and value is not None
    }


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple)


def _slices(found: Sequence[Document]) -> blocks.Card | None:
    if not found:
        return None
    ordered = [{**{key: one[key] for key in SLICE if key in one}, **one} for one in found]
    return blocks.card("Slices", *blocks.facts(ordered))
