"""What a run wrote down, put together for people: its verdicts in order, and its experiments."""

from collections.abc import Iterable, Mapping
from typing import Any

_ORDER = (
    "Admit", "Transform", "Analyse", "ReevaluateProblem", "ExportRule", "EngineerFeatures",
    "JudgeTrials", "TrainModel", "EvaluateModel", "BeatsChampion", "CheckFinalFit",
    "AwaitApproval", "ReplayRequests", "CheckCanary", "RecordFailure", "TrackRun",
)  # fmt: skip


def in_order(verdicts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put verdicts into the order in which the machine makes them."""

    def place(verdict: Mapping[str, Any]) -> tuple[int, int]:
        state = verdict["state"]
        return verdict["iteration"], _ORDER.index(state) if state in _ORDER else len(_ORDER)

    return sorted(verdicts, key=place)


def last_of_each(experiments: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each recipe, candidate and setting of an iteration the experiment of its last rung."""
    rising = sorted(experiments, key=lambda one: int(one.get("rung", 1)))
    return [*{_contender(one): one for one in rising}.values()]


def _contender(one: Mapping[str, Any]) -> tuple[int, str]:
    """What was tried, whatever rung it was on: a trial's name after that of its rung."""
    named = one.get("trial") or f"{one.get('rung', 1)}.{one.get('recipe')}.{one['candidate']}"
    return int(one["iteration"]), str(named).partition(".")[2]
