"""The ladder of feature recipes: each iteration adds one to those before it."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from noria.contracts import Problem
from noria.core.data.dataset import Column, Dataset, Kind
from noria.core.evaluation.error_findings import Findings
from noria.core.features.encoder_limits import EncoderLimits
from noria.core.features.recipe_choice import HISTORY, choose_next
from noria.core.features.recipe_columns import Pairs, added_by, basic_parts
from noria.errors import FeatureError


class Recipe(BaseModel):
    """A rung of the ladder: the steps it takes, and what it adds to the rung below."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    steps: tuple[str, ...]


class Plan(BaseModel):
    """Recipes made concrete for the columns of one dataset: what the encoder will compute.

    `recipe` is the latest of the `steps`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    description: str
    iteration: int
    steps: tuple[str, ...] = ()
    columns: tuple[tuple[str, Kind], ...]
    numbers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    calendars: tuple[str, ...] = ()
    elapsed: tuple[str, ...] = ()
    spans: Pairs = ()
    target_means: tuple[str, ...] = ()
    pairs: Pairs = ()
    squares: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    selection: bool = False
    limits: EncoderLimits = EncoderLimits()
    features: dict[str, list[str]]
    why: str


DESCRIPTIONS = {
    "basic": "numbers as they are, categories encoded",
    "calendar": "hour, minute of the day, weekday and day of the year of each timestamp, with "
    "their sine and cosine, and the time between timestamps",
    "windows": "the history of the entity, from the feature store",
    "target_encoding": "the smoothed mean of the target per category, fitted in folds",
    "interactions": "ratios and products of the numbers that tell most about the target, and "
    "squares where there are few columns",
    "text": "counts of the words and word pairs that tell most about the target, hashed",
    "selection": "only the features that tell more than shuffled ones do",
}


def ladder(table: Dataset | Sequence[Column], problem: Problem) -> list[Recipe]:
    """List the recipes that change something for these columns, in the ladder's order.

    With a list of `features.recipes` only those, in its order, after `basic`.
    """
    history = {window.as_ for window in problem.features.windows}
    every = table.columns if isinstance(table, Dataset) else tuple(table)
    columns = [column for column in every if column.name not in history]
    if not columns:
        raise FeatureError(
            f"problem {problem.name!r} has no feature columns left: "
            "shorten features.exclude or add a source"
        )
    kinds = {column.kind for column in columns}
    applies = {
        "basic": True,
        "calendar": "timestamp" in kinds,
        "windows": bool(history & {column.name for column in every}),
        "target_encoding": "category" in kinds,
        "interactions": "number" in kinds,
        "text": "text" in kinds and kinds != {"text"},
        "selection": len(columns) >= problem.features.selection_columns,
    }
    asked = problem.features.recipes
    order = applies if asked == "auto" else dict.fromkeys(["basic", *asked])
    names = [name for name in order if applies[name]]
    return [
        Recipe(name=name, description=DESCRIPTIONS[name], steps=tuple(names[: index + 1]))
        for index, name in enumerate(names)
    ]


def has_next(table: Dataset | Sequence[Column], problem: Problem, iteration: int) -> bool:
    """Tell whether there is a rung above `iteration` (from 0) that the contract allows."""
    following = iteration + 1
    allowed = following <= problem.features.maximum_iterations
    return allowed and following < len(ladder(table, problem))


def make_plan(
    dataset: Dataset,
    problem: Problem,
    iteration: int,
    weakness: str = "",
    before: Plan | None = None,
    findings: Findings | None = None,
) -> Plan:
    """Make the plan of iteration `iteration` (from 0).

    `before` is the plan of the one before, to which one recipe is added; without it the first
    rungs of the ladder are taken. `weakness` is why that one missed, `findings` where its errors
    are: they choose the recipe, and the columns that it concentrates on.
    """
    rungs = ladder(dataset, problem)
    if not 0 <= iteration < len(rungs):
        every = ", ".join(rung.name for rung in rungs)
        raise FeatureError(f"iteration {iteration} has no recipe: the ladder is {every}")
    names, found = [rung.name for rung in rungs], findings or Findings()
    steps, chosen = _steps(names, iteration, before, found, problem, dataset)
    kept = before.model_dump() if before else {}
    seen = _seen(dataset, steps, problem)
    plan = Plan(
        recipe=steps[-1],
        description=DESCRIPTIONS[steps[-1]],
        iteration=iteration,
        steps=steps,
        columns=tuple((column.name, column.kind) for column in seen.columns),
        selection="selection" in steps,
        limits=EncoderLimits.of(problem.features),
        features={},
        why="",
        **(basic_parts(seen) | added_by(steps, seen, found, kept)),
    )
    last = before.recipe if before else steps[-2] if iteration else ""
    why = _why(plan, len(rungs), last, weakness, chosen)
    return plan.model_copy(update={"features": _features(plan), "why": why})


def _seen(dataset: Dataset, steps: Sequence[str], problem: Problem) -> Dataset:
    """The columns that these steps may use: history only once its recipe was taken."""
    history = {window.as_ for window in problem.features.windows}
    hidden = set() if "windows" in steps else history
    return dataset.only([name for name in dataset.names() if name not in hidden])


def _steps(
    names: list[str],
    iteration: int,
    before: Plan | None,
    findings: Findings,
    problem: Problem,
    dataset: Dataset,
) -> tuple[tuple[str, ...], str]:
    """Return the recipes to take, and why the last of them was chosen."""
    if before is None:
        return tuple(names[: iteration + 1]), ""
    rest = [name for name in names if name not in before.steps]
    if not rest:
        raise FeatureError(f"no recipe is left above {', '.join(before.steps)}")
    if problem.features.recipes != "auto":
        return (*before.steps, rest[0]), "next of features.recipes"
    kinds: dict[str, str] = {column.name: column.kind for column in dataset.columns}
    kinds |= {window.as_: HISTORY for window in problem.features.windows}
    chosen, why = choose_next(rest, kinds, findings)
    return (*before.steps, chosen), why


def _features(plan: Plan) -> dict[str, list[str]]:
    """Say in words what each step computes, for reports."""
    steps = ("numbers", "categories", "calendars", "elapsed", "target_means", "squares", "texts")
    words = {step: list(getattr(plan, step)) for step in steps if getattr(plan, step)}
    if plan.spans:
        words["spans"] = [f"{later} - {earlier}" for earlier, later in plan.spans]
    if plan.pairs:
        words["pairs"] = [f"{one} / {other}, {one} * {other}" for one, other in plan.pairs]
    if plan.selection:
        words["selection"] = [DESCRIPTIONS["selection"]]
    return words


def _why(plan: Plan, rungs: int, last: str, weakness: str, chosen: str) -> str:
    if plan.iteration == 0:
        return f"the first rung of {rungs}: start simple"
    found = f"; evaluation found: {weakness}" if weakness else ""
    because = f", because {chosen}" if chosen else ""
    adds = "keeps" if plan.recipe == "selection" else "adds"
    return (
        f"{last!r} missed the objective{found}; {plan.recipe!r} {adds} {plan.description}{because}"
    )
