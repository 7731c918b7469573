"""What becomes of columns that give the target away: the run asks, leaves them out, or goes on."""

from collections.abc import Sequence

from noria.common.messages import comma_list
from noria.common.verdict import Verdict
from noria.contracts import Problem
from noria.core.analysis.leakage import Suspect
from noria.core.ml_need.outcomes import GO_ON, REEVALUATE

SHOWN = 5


def stopping(suspects: Sequence[Suspect]) -> list[Suspect]:
    """The suspects that a run does not go on with unless the contract says so."""
    return [one for one in suspects if one.stops]


def with_leaks(verdict: Verdict, suspects: Sequence[Suspect], problem: Problem) -> Verdict:
    """The verdict as the contract's `analysis.on_leak` has it.

    `ask`: a run that would go on stops, as its score would be that of the leak. Whatever the
    decision, the suspects and why are told.
    """
    found = stopping(suspects)
    if not found:
        return verdict
    names = [one.column for one in found]
    evidence = {**verdict.evidence, "suspects": names}
    if problem.analysis.on_leak == "ask" and verdict.decision == GO_ON:
        told = [told_of(found), remedy(names)]
        return Verdict(
            decision=REEVALUATE, reasons=[*told, *verdict.reasons],
            evidence={**evidence, "asked_about": names},
        )  # fmt: skip
    done = {
        "ask": "",
        "exclude": " Left out, as analysis.on_leak is exclude.",
        "allow": " Used all the same, as analysis.on_leak is allow.",
    }
    told = [told_of(found) + done[problem.analysis.on_leak]]
    return Verdict(decision=verdict.decision, reasons=[*verdict.reasons, *told], evidence=evidence)


def nothing_left(suspects: Sequence[Suspect]) -> Verdict:
    """The verdict of a run that leaves out every column."""
    names = [one.column for one in stopping(suspects)]
    told = "No column is left after leaving out the leakage suspects (analysis.on_leak is exclude)"
    reasons = [f"{told}: add columns or sources.", told_of(suspects), remedy(names)]
    return Verdict(decision=REEVALUATE, reasons=reasons, evidence={"suspects": names})


def told_of(suspects: Sequence[Suspect]) -> str:
    """Name the suspects, each with its reason."""
    shown = comma_list([f"'{one.column}' {one.reason}" for one in suspects], SHOWN)
    alone, several = "A column gives the target away", "Columns give the target away"
    return f"{alone if len(suspects) == 1 else several}: {shown}."


def remedy(names: Sequence[str]) -> str:
    """Say what to declare of the suspects."""
    listed = comma_list(list(names), SHOWN)
    return (
        f"List in features.exclude what is known only afterwards, or in features.known what is "
        f"known when the prediction is made: {listed}. Do so in the deployed contract, and "
        "retraining runs do not ask again."
    )
