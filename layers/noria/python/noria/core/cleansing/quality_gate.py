"""When data is good enough to go on with, and what to do where it is not."""

import pandas as pd

from noria.common.messages import counted
from noria.common.verdict import Verdict
from noria.contracts import LARGEST_MEMORY, Problem
from noria.core.cleansing.row_rules import Rules
from noria.core.cleansing.target import class_order, class_problems
from noria.errors import DataError


def too_large(rows: int, problem: Problem, memory: int) -> list[str]:
    """Say that a run has more rows than a Lambda of so many MB can take, where it has."""
    scaling = problem.scaling
    limit = scaling.rows_in(memory)
    if rows <= limit:
        return []
    larger = (
        f"set scaling.memory to {LARGEST_MEMORY:,}, or filter or sample the sources"
        if rows <= scaling.lambda_rows
        else "filter or sample the sources"
    )
    return [
        f"{rows:,} rows were collected, and a function of {memory:,} MB takes {limit:,} "
        f"(scaling.lambda_rows {scaling.lambda_rows:,} at {LARGEST_MEMORY:,} MB): {larger}"
    ]


def with_drift(verdict: Verdict, drift: list[str], problem: Problem) -> Verdict:
    """Add what changed in the sources' schemas since the last run."""
    fails = bool(drift) and problem.quality.schema_drift == "fail"
    remedy = ["quality.schema_drift is fail: fix the source, or set it to report"] if fails else []
    return Verdict(
        decision="unusable" if fails else verdict.decision,
        reasons=[*remedy, *drift, *verdict.reasons] if fails else [*verdict.reasons, *drift],
        evidence={**verdict.evidence, "schema_drift": drift},
    )


def usability_failures(problem: Problem, rules: Rules, target: pd.Series, rows: int) -> list[str]:
    """Say what makes the data unusable: `target` is that of the accepted ones of `rows`."""
    accepted = int(rules.good.sum())
    return [
        *_too_many_quarantined(problem, rules, rows),
        *_too_few(problem, accepted),
        *(_target_failures(problem, target) if accepted else []),
    ]


def _too_many_quarantined(problem: Problem, rules: Rules, rows: int) -> list[str]:
    judged = rows - rules.exempt
    share = rules.violations / judged if judged else 0.0
    limit = problem.quality.maximum_quarantined
    if rules.violations and problem.quality.on_violation == "fail":
        verb = "breaks" if rules.violations == 1 else "break"
        told = f"{counted(rules.violations, 'row')} {verb} a rule"
        return [f"{told} and quality.on_violation is fail"]
    if share > limit:
        return [
            f"{share:.1%} of the {judged:,} rows break a rule, more than "
            f"quality.maximum_quarantined {limit:.1%}: fix the source or the rules"
        ]
    return []


def _too_few(problem: Problem, accepted: int) -> list[str]:
    if accepted >= max(problem.quality.minimum_rows, 1):
        return []
    return [
        f"{counted(accepted, 'row')} {'is' if accepted == 1 else 'are'} left, "
        f"quality.minimum_rows is {problem.quality.minimum_rows:,}: "
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
