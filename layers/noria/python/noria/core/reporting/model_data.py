"""The card's chapter on the rows that a model learnt from and was judged by."""

from collections.abc import Mapping
from typing import Any

from noria.common.formatting import date, joined_with_and, share
from noria.common.messages import comma_list, counted
from noria.core.evaluation.results import EvaluationResult
from noria.core.reporting.blocks import Chapter, TableBlock, bullets, card, chapter
from noria.core.reporting.run_evidence import RunEvidence

MOST_CLASSES = 12


def model_data(evaluation: EvaluationResult, evidence: RunEvidence) -> Chapter | None:
    """Tell the sources, what was kept of their rows, and which rows trained and which judged."""
    told = [*_kept(evidence), *_split(evidence), *_judged(evaluation), *_target(evidence)]
    return chapter("Data", card("", _sources(evidence), bullets(told)))


def _sources(evidence: RunEvidence) -> TableBlock | None:
    rows = [
        (one.get("source"), one.get("kind"), one.get("rows"), len(one.get("schema") or {}),
         len(one.get("files") or []), _day(one.get("collected_at")))
        for one in evidence.collected.get("sources") or []
        if not one.get("unusable")
    ]  # fmt: skip
    header = ("source", "kind", "rows", "columns", "parts", "collected")
    return TableBlock(header, rows) if rows else None


def _day(moment: Any) -> str:
    return str(moment or "")[:10]


def _kept(evidence: RunEvidence) -> list[str]:
    clean = evidence.of("Transform")
    if "rows" not in clean:
        return []
    rules: Mapping[str, int] = clean.get("rules") or {}
    worst = sorted(rules, key=lambda rule: (-rules[rule], rule))
    why = f", most of them for {worst[0]} ({rules[worst[0]]:,})" if worst else ""
    return [
        f"{counted(clean['rows'], 'joined row')}: {clean.get('accepted', 0):,} accepted, "
        f"{clean.get('quarantined', 0):,} quarantined{why}."
    ]


def _split(evidence: RunEvidence) -> list[str]:
    analysis = evidence.analysis
    if not analysis:
        return []
    holdout = share(evidence.problem.evaluation.holdout)
    how = f"{holdout} that a hash of each row chose"
    if evidence.problem.event_time is not None:
        how = f"the latest {holdout}"
    elif evidence.problem.entity_key:
        how += ", the rows of an entity together where it is no feature"
    found = [
        f"{counted(analysis.get('training_rows', 0), 'row')} to learn from, "
        f"{analysis.get('holdout_rows', 0):,} held out ({how})."
    ]
    time = analysis.get("time")
    if time:
        gaps = len(time.get("gaps") or [])
        pauses = f", with {counted(gaps, 'gap')}" if gaps else ""
        found.append(f"From {date(time['start'])} to {date(time['end'])}{pauses}.")
    return found


def _judged(evaluation: EvaluationResult) -> list[str]:
    if not evaluation.out_of_fold:
        return [f"Judged by the {counted(evaluation.rows, 'row')} that were held out."]
    return [
        f"Judged by {counted(evaluation.rows, 'row')}: those held out, and "
        f"{evaluation.out_of_fold:,} that models of folds without them answered, as the holdout "
        "is small."
    ]


def _target(evidence: RunEvidence) -> list[str]:
    """How often each class was, in all accepted rows."""
    counts: Mapping[str, int] = evidence.of("Transform").get("classes") or {}
    total = sum(counts.values())
    if not total:
        return []
    told = [f"{name} {share(count / total)}" for name, count in counts.items()]
    listed = joined_with_and(told) if len(told) <= 2 else comma_list(told, MOST_CLASSES)
    return [f"Of {evidence.problem.target.name}: {listed}."]
