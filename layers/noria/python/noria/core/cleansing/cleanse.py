"""Cleansing: types, rules, duplicates and columns; every row is accepted or quarantined."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from noria.common.categories import Spellings
from noria.common.messages import comma_list, counted, unique_name
from noria.common.verdict import Verdict
from noria.contracts import Fill, Problem
from noria.core.cleansing import column_kinds, dropped_columns
from noria.core.cleansing.missing_texts import missing_notes, missing_texts, unlabelled_notes
from noria.core.cleansing.notations import notations
from noria.core.cleansing.outliers import outliers
from noria.core.cleansing.post_outcome_columns import post_outcome_columns
from noria.core.cleansing.quality_gate import usability_failures
from noria.core.cleansing.row_rules import UNLABELLED, Rules, broken_rules
from noria.core.cleansing.target import target_columns, target_values
from noria.core.column_types.contract_checks import impossible, unsuitable
from noria.core.column_types.event_time import event_time_name, with_event_time
from noria.core.column_types.type_inference import ColumnKind, Typed
from noria.core.data.frame_columns import with_column
from noria.core.data.notation import Notation
from noria.errors import ContractError, DataError

BROKEN_RULE = "broken_rule"
KEPT = "kept as missing: the model's graph handles them"


@dataclass(frozen=True)
class Cleansing:
    """The outcome: typed accepted rows, quarantined rows as they came, kinds and the verdict.

    `quarantined` has the original columns and, last, the text `broken_rule` (`broken_rule_2` where
    the data have such a column); every row that came in is in exactly one of the two. `flagged`
    lists outliers among the accepted rows (`row`, `column`, `value`). `spellings` is how each
    category's texts were brought to one spelling, `notations` how each column's values were written
    in the rows that came in.
    """

    accepted: pd.DataFrame
    quarantined: pd.DataFrame
    verdict: Verdict
    columns: dict[str, ColumnKind] = field(default_factory=dict)
    spellings: dict[str, Spellings] = field(default_factory=dict)
    notations: dict[str, Notation] = field(default_factory=dict)
    flagged: pd.DataFrame = field(default_factory=pd.DataFrame)


def cleanse(frame: pd.DataFrame, problem: Problem) -> Cleansing:
    """Type, check and sort out the joined rows of a problem.

    The decision is `usable` or `unusable`. Rows whose target is not known yet and repeated
    identical rows are quarantined but do not count against `quality.maximum_quarantined`.
    """
    refused = [
        *impossible(problem),
        *unsuitable(frame, problem),
        *column_kinds.unknown_columns(frame, problem),
    ]
    if refused:
        return _refused(frame, refused)
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
    return Cleansing(frame, _quarantined(frame.iloc[:0], pd.Series([], dtype="str")), verdict)


def _quarantined(rows: pd.DataFrame, texts: pd.Series) -> pd.DataFrame:
    name = unique_name(BROKEN_RULE, map(str, rows.columns))
    return with_column(rows, name, texts).reset_index(drop=True)


def _cleansed(frame: pd.DataFrame, problem: Problem) -> Cleansing:
    typed = column_kinds.typed_columns(frame, problem)
    values = pd.DataFrame({n: column.values for n, column in typed.items()}, copy=False)
    try:
        target = target_values(frame, problem, typed)
    except DataError as error:  # how its column was read may be why
        notes = [
            *column_kinds.type_notes(frame, typed, problem),
            *missing_notes(typed, {}, problem),
        ]
        return _refused(frame, [str(error), *notes])
    rules = broken_rules(frame, values, typed, target, problem)
    good = rules.good
    drops = dropped_columns.columns_to_drop(values, good, typed, problem)
    kinds = column_kinds.kinds(typed, problem, drops)
    accepted = values.loc[good, list(kinds)].reset_index(drop=True)
    if problem.target.expression is None:
        accepted[problem.target.name] = target[good].to_numpy()
    flagged, found = outliers(accepted, kinds, problem.quality)
    limits, features = problem.analysis, _features(kinds, problem)
    late = post_outcome_columns(values, target, features, limits.late, limits.late_rows)
    evidence = _evidence(frame, rules, drops, kinds, typed, target[good], problem) | {
        "outliers": found,
        "known_afterwards": late,
        "missing_rules": _missing_rules(accepted, kinds, problem),
        "left_out": dropped_columns.unused_columns(accepted, kinds, problem),
    }
    failures = [
        *usability_failures(problem, rules, target[good], len(frame)),
        *column_kinds.not_monotone(kinds, problem),
    ]
    notes = [
        *unlabelled_notes(typed, rules.counts.get(UNLABELLED, 0), len(frame), problem),
        *column_kinds.type_notes(frame, typed, problem),
        *missing_notes(typed, drops, problem),
        *_notes(frame, drops, evidence, problem),
    ]
    return Cleansing(
        accepted=accepted,
        quarantined=_quarantined(frame[~good], rules.texts[~good]),
        verdict=Verdict(
            decision="unusable" if failures else "usable",
            reasons=[*failures, *_found(rules, len(frame)), *notes],
            evidence=evidence,
        ),
        columns=kinds,
        spellings={n: c.spellings for n, c in typed.items() if n in kinds and c.spellings.table},
        notations=notations(frame, typed, problem),
        flagged=flagged,
    )


def _features(kinds: Mapping[str, ColumnKind], problem: Problem) -> list[str]:
    """List the columns that may become features."""
    others = {*target_columns(problem), *problem.features.exclude, event_time_name(problem)}
    return [name for name in kinds if name not in others]


def _found(rules: Rules, rows: int) -> list[str]:
    """Say how many rows were accepted, and which rules the others broke."""
    accepted = int(rules.good.sum())
    return [
        f"{accepted:,} of {counted(rows, 'row')} accepted, {rows - accepted:,} quarantined",
        *(
            f"{counted(count, 'row')}: {rule} ({rules.examples[rule]})"
            for rule, count in rules.counts.items()
        ),
    ]


def _missing_rules(
    accepted: pd.DataFrame, kinds: Mapping[str, ColumnKind], problem: Problem
) -> dict[str, str]:
    """Say for each column with missing values how many there are and what becomes of them."""
    counts = accepted[[name for name in _features(kinds, problem) if name in accepted]].isna().sum()
    return {
        str(name): f"{int(count):,} missing ({count / len(accepted):.1%}), "
        f"{_missing_handling(str(name), problem)}"
        for name, count in counts.items()
        if count
    }


def _missing_handling(name: str, problem: Problem) -> str:
    rule = problem.quality.columns.get(name)
    if rule is None or rule.missing in ("keep", "quarantine"):
        return KEPT
    if isinstance(rule.missing, Fill):
        return f"filled with {rule.missing.value!r}"
    return f"filled with the {rule.missing.replace('_', ' ')} of the training rows"


def _notes(
    frame: pd.DataFrame, drops: dict[str, str], evidence: Mapping[str, Any], problem: Problem
) -> list[str]:
    notes = [
        *dropped_columns.drop_sentences(drops),
        *dropped_columns.unused_sentences(evidence["left_out"], problem),
        *_join_sentences(frame),
    ]
    if BROKEN_RULE in frame.columns:
        name = unique_name(BROKEN_RULE, map(str, frame.columns))
        notes.append(f"The data have a column {BROKEN_RULE!r}: the quarantine's own is {name!r}")
    if evidence["known_afterwards"]:
        names = ", ".join(evidence["known_afterwards"])
        notes.append(
            f"Filled only where the target is known: {names}. If they are written with the "
            "outcome, list them in features.exclude"
        )
    return [*notes, *_outlier_sentences(evidence["outliers"])]


def _outlier_sentences(found: list[dict[str, Any]]) -> list[str]:
    shown = [
        f"{item['column']} ({item['flagged']:,} below {item['low']:.4g} or above "
        f"{item['high']:.4g})"
        for item in found
    ]
    return [f"Outliers flagged, not dropped: {comma_list(shown, 5)}"] if shown else []


def _join_sentences(frame: pd.DataFrame) -> list[str]:
    sentences = []
    for source, note in frame.attrs.get("joins", {}).items():
        if note["matched"] < 1:
            sentences.append(f"{note['matched']:.1%} of the rows found a match in {source!r}")
        if note["duplicates_dropped"]:
            repeated = counted(note["duplicates_dropped"], "repeated row")
            sentences.append(f"{repeated} of {source!r} dropped")
        if note["without_key"]:
            lost = counted(note["without_key"], "row")
            sentences.append(
                f"{lost} of {source!r} without {' or '.join(note['key'])} dropped, as no row can "
                "find them: complete the key in the source if they matter"
            )
    return sentences


def _evidence(
    frame: pd.DataFrame,
    rules: Rules,
    drops: dict[str, str],
    kinds: dict[str, ColumnKind],
    typed: dict[str, Typed],
    target: pd.Series,
    problem: Problem,
) -> dict[str, Any]:
    counts = target.value_counts().head(problem.analysis.maximum_classes)
    return {
        "rows": len(frame),
        "accepted": int(rules.good.sum()),
        "quarantined": int((~rules.good).sum()),
        "unlabelled": rules.counts.get(UNLABELLED, 0),
        "rules": dict(rules.counts),
        "dropped_columns": drops,
        "types": {name: column.kind for name, column in typed.items()},
        "identifiers": [name for name, kind in kinds.items() if kind == "identifier"],
        "classes": {}
        if problem.task == "regression"
        else {str(k): int(n) for k, n in counts.items()},
        "target_columns": sorted(target_columns(problem)),
        "spellings": {name: column.merged for name, column in typed.items() if column.merged},
        "units": {name: column.converted for name, column in typed.items() if column.converted},
        "missing_texts": missing_texts(typed),
        "times": column_kinds.time_ranges(typed),
        "joins": frame.attrs.get("joins", {}),
    }
