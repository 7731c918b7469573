"""What was measured of ways to serve a model, and the table that compares them."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from rich.table import Table

#: The peers by their environment, with their names for people.
PEERS = {"fastapi": "FastAPI", "bentoml": "BentoML", "mlflow": "MLflow"}
MEASURED = ("first", "peak", "one", "many", "first_cpu", "one_cpu", "many_cpu")


@dataclass(frozen=True)
class Figures:
    """What was measured of one way: seconds, those of the processor, and MiB at the peak."""

    first: float
    peak: float
    one: float
    many: float
    first_cpu: float = math.nan
    one_cpu: float = math.nan
    many_cpu: float = math.nan
    scores: list[float] = field(repr=False, default_factory=list)
    versions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def median(cls, found: Sequence[Mapping[str, Any]]) -> Self:
        """The medians over processes of the same way."""
        medians = {name: statistics.median(one[name] for one in found) for name in MEASURED}
        return cls(**medians, scores=found[-1]["scores"], versions=found[-1]["versions"])


@dataclass(frozen=True)
class Goal:
    """What a figure should be: a share of another way's at most."""

    title: str
    figure: str
    unit: str
    share: float

    def shown(self, value: float) -> str:
        """The figure as people read it."""
        return f"{value * 1000:,.2f}" if self.unit == "ms" else f"{value:,.2f}"


GOALS = (
    Goal("first answer", "first", "s", 0.25),
    Goal("memory", "peak", "MiB", 0.5),
    Goal("one row", "one", "ms", 1 / 15),
    Goal("1,000 rows", "many", "ms", 1 / 3),
    Goal("first answer, CPU", "first_cpu", "s", 0.25),
    Goal("one row, CPU", "one_cpu", "ms", 1 / 15),
    Goal("1,000 rows, CPU", "many_cpu", "ms", 1 / 3),
)
LIMIT = 3.0  # times the limit, of one row and of many


def table(figures: Mapping[str, Figures]) -> Table:
    """A line per figure: every way, Noria's share of the best peer, and the goal."""
    others = [name for name in figures if name in PEERS]
    shown = Table("", "Noria", *(PEERS[name] for name in others), "limit", "to best", "goal")
    for goal in GOALS:
        values = {name: getattr(one, goal.figure) for name, one in figures.items()}
        best = min((values[name] for name in others), default=float("nan"))
        shown.add_row(
            f"{goal.title}, {goal.unit}",
            *(goal.shown(values[name]) for name in ("noria", *others, "limit")),
            f"{values['noria'] / best:.3f}",
            f"{goal.share:.3f}{_met(values['noria'] / best, goal.share)}",
        )
    ours, least = figures["noria"], figures["limit"]
    shares = {
        "one row": ours.one / least.one, "1,000 rows": ours.many / least.many,
        "one row, CPU": ours.one_cpu / least.one_cpu,
        "1,000 rows, CPU": ours.many_cpu / least.many_cpu,
    }  # fmt: skip
    for title, times in shares.items():
        blanks = [""] * len(others)
        goal_shown = f"{LIMIT:g} x{_met(times, LIMIT)}"
        shown.add_row(f"{title} / limit", f"{times:.2f} x", *blanks, "1 x", "", goal_shown)
    return shown


def versions(figures: Mapping[str, Figures]) -> list[str]:
    """What was measured, by name and version."""
    named = {"noria": "Noria, limit", **PEERS}
    return [
        f"{named[name]}: {', '.join(f'{package} {v}' for package, v in one.versions.items())}"
        for name, one in figures.items()
        if name in named
    ]


def agreement(figures: Mapping[str, Figures]) -> list[str]:
    """How far the ways' answers are from Noria's: the same work has similar answers."""
    ours = figures["noria"].scores
    told = [
        f"{PEERS.get(name, name)} {statistics.fmean(map(_apart, ours, one.scores)):.4f}"
        for name, one in figures.items()
        if name != "noria"
    ]
    return [f"Mean distance of 1,000 probabilities from Noria's: {', '.join(told)}"]


def _apart(one: float, other: float) -> float:
    return abs(one - other)


def _met(value: float, most: float) -> str:
    """Whether a goal is reached; nothing where there is no peer."""
    if math.isnan(value):
        return ""
    return " met" if value <= most else " missed"
