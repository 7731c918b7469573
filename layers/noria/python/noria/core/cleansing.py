"""Cleansing: types, rules, duplicates and columns; every row is accepted or quarantined."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from noria.contracts import Problem
from noria.core import quality
from noria.core.event_time import event_time_name, with_event_time
from noria.core.inference import ColumnKind
from noria.core.target import (
    MAXIMUM_CLASSES,
    class_order,
    class_problems,
    target_columns,
    target_values,
)
from noria.core.verdicts import Verdict
from noria.errors import ContractError, DataError

BROKEN_RULE = "broken_rule"


@dataclass(frozen=True)
class Cleansing:
    """The outcome: typed accepted rows, quarantined rows as they came, kinds and the verdict.

    `quarantined` has the original columns and the text `broken_rule`; every row that came in is
    in exactly one of the two.
    """

    accepted: pd.DataFrame
    quarantined: pd.DataFrame
    verdict: Verdict
    columns: dict[str, ColumnKind] = field(default_factory=dict)


def cleanse(frame: pd.DataFrame, problem: Problem) -> Cleansing:
    """Type, check and sort out the joined rows of a problem.

    The decision is `usable` or `unusable`. Rows whose target is not known yet and repeated
    identical rows are quarantined but do not count against `quality.maximum_quarantined`.
    """
    impossible = quality.unknown_columns(frame, problem)
    if impossible:
        return _refused(frame, impossible)
    try:
        return _cleansed(with_known_event_time(frame, problem), problem)
    except (DataError, ContractError) as error:
        return _refused(frame, [str(error)])


def with_known_event_time(frame: pd.DataFrame, problem: Problem) -> pd.DataFrame:
    """Compute the event time unless the join already did."""
    name = event_time_name(problem)
    return frame if name is None or name in frame.columns else with_event_time(frame, problem)


def _refused(frame: pd.DataFrame, reasons: list[str]) -> Cleansing:
    evidence = {"rows": len(frame), "accepted": len(frame), "quarantined": 0}
    verdict = Verdict(decision="unusable", reasons=reasons, evidence=evidence)
    return Cleansing(frame, frame.iloc[:0].assign(**{BROKEN_RULE: ""}), verdict)


def _cleansed(frame: pd.DataFrame, problem: Problem) -> Cleansing:
    typed = quality.typed_columns(frame, problem)
    values = pd.DataFrame({name: column.values for name, column in typed.items()})
    target = target_values(frame, problem)
    rules = quality.broken_rules(frame, values, typed, target, problem)
    good = rules.good
    drops = quality.columns_to_drop(values[good], typed, problem)
    kinds = quality.kinds(typed, problem, drops)
    accepted = values.loc[good, list(kinds)].reset_index(drop=True)
    if problem.target.expression is None:
        accepted[problem.target.name] = target[good].to_numpy()
    quarantined = frame[~good].assign(**{BROKEN_RULE: rules.texts[~good]}).reset_index(drop=True)
    reasons, failures = _judged(problem, rules, target[good], len(frame))
    notes = [*quality.drop_sentences(drops), *rules.notes, *_join_sentences(frame)]
    verdict = Verdict(
        decision="unusable" if failures else "usable",
        reasons=[*failures, *reasons, *notes],
        evidence=_evidence(frame, rules, drops, kinds, typed, target[good], problem),
    )
    return Cleansing(accepted, quarantined, verdict, kinds)


def _judged(
    problem: Problem, rules: quality.Rules, target: pd.Series, rows: int
) -> tuple[list[str], list[str]]:
    """Return what was found, and what makes the data unusable."""
    accepted = int(rules.good.sum())
    found = [f"{accepted:,} of {rows:,} rows accepted, {rows - accepted:,} quarantined"]
    found += [f"{count:,} rows: {rule}" for rule, count in rules.counts.items()]
    return found, [
        *_too_many_quarantined(problem, rules, rows),
        *_too_few(problem, accepted),
        *(_target_failures(problem, target) if accepted else []),
    ]


def _too_many_quarantined(problem: Problem, rules: quality.Rules, rows: int) -> list[str]:
    judged = rows - rules.exempt
    share = rules.violations / judged if judged else 0.0
    limit = problem.quality.maximum_quarantined
    if rules.violations and problem.quality.on_violation == "fail":
        return [f"{rules.violations:,} rows break a rule and quality.on_violation is fail"]
    if share > limit:
        return [
            f"{share:.1%} of the {judged:,} rows break a rule, more than "
            f"quality.maximum_quarantined {limit:.1%}: mend the source or the rules"
        ]
    return []


def _too_few(problem: Problem, accepted: int) -> list[str]:
    if accepted >= max(problem.quality.minimum_rows, 1):
        return []
    return [
        f"{accepted:,} rows are left, quality.minimum_rows is {problem.quality.minimum_rows:,}: "
        "collect more"
    ]


def _target_failures(problem: Problem, target: pd.Series) -> list[str]:
    if problem.task == "regression":
        return (
            [f"target {problem.target.name!r} is {target.iloc[0]:g} in every row: nothing to learn"]
            if target.nunique() < 2
            else []
        )
    failures = class_problems(target, problem)
    if failures:
        return failures
    try:
        class_order(target, problem)
    except DataError as error:
        return [str(error)]
    return []


def _join_sentences(frame: pd.DataFrame) -> list[str]:
    sentences = []
    for source, note in frame.attrs.get("joins", {}).items():
        if note["matched"] < 1:
            sentences.append(f"{note['matched']:.1%} of the rows found a match in {source!r}")
        if note["duplicates_dropped"]:
            sentences.append(f"{note['duplicates_dropped']:,} repeated rows of {source!r} left out")
    return sentences


def _evidence(
    frame: pd.DataFrame,
    rules: quality.Rules,
    drops: dict[str, str],
    kinds: dict[str, ColumnKind],
    typed: dict[str, Any],
    target: pd.Series,
    problem: Problem,
) -> dict[str, Any]:
    counts = target.value_counts().head(MAXIMUM_CLASSES)
    return {
        "rows": len(frame),
        "accepted": int(rules.good.sum()),
        "quarantined": int((~rules.good).sum()),
        "unlabelled": rules.counts.get(quality.UNLABELLED, 0),
        "rules": dict(rules.counts),
        "dropped_columns": drops,
        "types": {name: column.kind for name, column in typed.items()},
        "identifiers": [name for name, kind in kinds.items() if kind == "identifier"],
        "classes": {}
        if problem.task == "regression"
        else {str(k): int(n) for k, n in counts.items()},
        "target_columns": sorted(target_columns(problem)),
        "joins": frame.attrs.get("joins", {}),
    }
