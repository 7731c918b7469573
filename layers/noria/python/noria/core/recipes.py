"""The ladder of feature recipes: each is a named step up from the one before."""

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from noria.contracts import Problem
from noria.core.dataset import Column, Dataset, Kind
from noria.errors import FeatureError

SAMPLE_ROWS = 20_000
STRONGEST = 4
FEW_COLUMNS = 10
MAXIMUM_SPANS = 3


class Recipe(BaseModel):
    """A rung of the ladder: the steps it takes, and what it adds to the rung below."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    steps: tuple[str, ...]


class Plan(BaseModel):
    """A recipe made concrete for the columns of one dataset: what the encoder will compute."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    description: str
    iteration: int
    columns: tuple[tuple[str, Kind], ...]
    numbers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    calendars: tuple[str, ...] = ()
    elapsed: tuple[str, ...] = ()
    spans: tuple[tuple[str, str], ...] = ()
    target_means: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    squares: tuple[str, ...] = ()
    features: dict[str, list[str]]
    why: str


DESCRIPTIONS = {
    "basic": "numbers as they are, categories encoded",
    "calendar": "hour, minute of the day, weekday and day of the year of each timestamp, with "
    "their sine and cosine, and the time between timestamps",
    "target_encoding": "the smoothed mean of the target per category, fitted in folds",
    "interactions": "ratios and products of the numbers that tell most about the target, and "
    "squares where there are few columns",
}


def ladder(table: Dataset | Sequence[Column], problem: Problem) -> list[Recipe]:
    """List the recipes that change something for these columns, simplest first."""
    columns = table.columns if isinstance(table, Dataset) else tuple(table)
    if not columns:
        raise FeatureError(
            f"problem {problem.name!r} has no feature columns left: "
            "shorten features.exclude or add a source"
        )
    kinds = {column.kind for column in columns}
    applies = {
        "basic": True,
        "calendar": "timestamp" in kinds,
        "target_encoding": "category" in kinds,
        "interactions": "number" in kinds,
    }
    names = [name for name, applicable in applies.items() if applicable]
    return [
        Recipe(name=name, description=DESCRIPTIONS[name], steps=tuple(names[: index + 1]))
        for index, name in enumerate(names)
    ]


def has_next(table: Dataset | Sequence[Column], problem: Problem, iteration: int) -> bool:
    """Tell whether there is a rung above `iteration` (from 0) that the contract allows."""
    following = iteration + 1
    allowed = following <= problem.features.maximum_iterations
    return allowed and following < len(ladder(table, problem))


def make_plan(dataset: Dataset, problem: Problem, iteration: int, weakness: str = "") -> Plan:
    """Make rung `iteration` (from 0) concrete; `weakness` is what evaluation found lacking."""
    rungs = ladder(dataset, problem)
    if not 0 <= iteration < len(rungs):
        names = ", ".join(rung.name for rung in rungs)
        raise FeatureError(f"iteration {iteration} has no recipe: the ladder is {names}")
    recipe = rungs[iteration]
    parts: dict[str, tuple[str, ...]] = _basic_parts(dataset)
    spans: tuple[tuple[str, str], ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    if "calendar" in recipe.steps:
        parts |= {"calendars": tuple(dataset.names("timestamp")), "elapsed": ()}
        spans = _pairs(dataset.names("timestamp"))[:MAXIMUM_SPANS]
    if "target_encoding" in recipe.steps:
        parts["target_means"] = tuple(dataset.names("category"))
    if "interactions" in recipe.steps:
        strongest = strongest_numbers(dataset)[:STRONGEST]
        pairs = _pairs(strongest)
        parts["squares"] = _squares(dataset, strongest)
    return Plan(
        recipe=recipe.name,
        description=recipe.description,
        iteration=iteration,
        columns=tuple((column.name, column.kind) for column in dataset.columns),
        spans=spans,
        pairs=pairs,
        features=_features(parts, spans, pairs),
        why=_why(recipe, rungs, iteration, weakness),
        **parts,
    )


def strongest_numbers(dataset: Dataset) -> list[str]:
    """Rank number columns by the absolute correlation of their ranks with the target's."""
    rows = np.flatnonzero(~dataset.holdout)[-SAMPLE_ROWS:]
    target = _ranks(dataset.target[rows].astype(np.float64))
    strength = {
        name: _correlation(dataset.data[name][rows], target) for name in dataset.names("number")
    }
    return sorted(strength, key=lambda name: (-strength[name], name))


def _correlation(values: np.ndarray, target: np.ndarray) -> float:
    known = ~np.isnan(values)
    ranks, other = _ranks(values[known]), target[known]
    if len(ranks) < 3 or ranks.std() == 0 or other.std() == 0:
        return 0.0
    return float(abs(np.corrcoef(ranks, other)[0, 1]))


def _ranks(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.unique(values, return_inverse=True)[1], dtype=np.float64)


def _pairs(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((one, other) for i, one in enumerate(names) for other in names[i + 1 :])


def _squares(dataset: Dataset, strongest: list[str]) -> tuple[str, ...]:
    return tuple(strongest) if len(dataset.columns) <= FEW_COLUMNS else ()


def _basic_parts(dataset: Dataset) -> dict[str, tuple[str, ...]]:
    """Numbers and categories; timestamps join, as elapsed time, only where nothing else is."""
    numbers, categories = tuple(dataset.names("number")), tuple(dataset.names("category"))
    alone = not numbers and not categories
    return {
        "numbers": numbers,
        "categories": categories,
        "elapsed": tuple(dataset.names("timestamp")) if alone else (),
    }


def _features(
    parts: dict[str, tuple[str, ...]],
    spans: tuple[tuple[str, str], ...],
    pairs: tuple[tuple[str, str], ...],
) -> dict[str, list[str]]:
    """Say in words what each step computes, for reports."""
    words = {step: list(names) for step, names in parts.items() if names}
    if spans:
        words["spans"] = [f"{later} - {earlier}" for earlier, later in spans]
    if pairs:
        words["pairs"] = [f"{one} / {other}, {one} * {other}" for one, other in pairs]
    return words


def _why(recipe: Recipe, rungs: list[Recipe], iteration: int, weakness: str) -> str:
    if iteration == 0:
        return f"the first rung of {len(rungs)}: start simple"
    found = f"; evaluation found: {weakness}" if weakness else ""
    return (
        f"{rungs[iteration - 1].name!r} missed the objective{found}; "
        f"{recipe.name!r} adds {recipe.description}"
    )
