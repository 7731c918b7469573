"""The ladder of feature recipes: each iteration adds one to those before it."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from noria.contracts import Problem
from noria.core.data.dataset import Column, Dataset, Kind
from noria.core.evaluation.error_findings import Findings
from noria.core.features.encoder_limits import EncoderLimits
from noria.core.features.recipe_choice import choose_next
from noria.core.features.recipes import RECIPES
from noria.core.features.recipes.base import HISTORY, Groups, Iteration, Kinds, Parts
from noria.errors import FeatureError


class Rung(BaseModel):
    """A rung of the ladder: the steps it takes, and what it adds to the rung below."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    steps: tuple[str, ...]


class Plan(BaseModel):
    """Recipes made concrete for the columns of one dataset: what the encoder will compute.

    `recipe` is the latest of the `steps`; `parts` names the columns that each of them works on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    description: str
    iteration: int
    steps: tuple[str, ...] = ()
    columns: tuple[tuple[str, Kind], ...]
    parts: dict[str, Groups]
    selection: bool = False
    limits: EncoderLimits = EncoderLimits()
    features: dict[str, list[str]]
    why: str


def ladder(table: Dataset | Sequence[Column], problem: Problem) -> list[Rung]:
    """List the recipes that change something for these columns, in the ladder's order.

    With a list of `features.recipes` only those, in its order, after `basic`.
    """
    kinds = _kinds(table.columns if isinstance(table, Dataset) else table, problem)
    if not {*kinds.values()} - {HISTORY}:
        raise FeatureError(
            f"problem {problem.name!r} has no feature columns left: "
            "shorten features.exclude or add a source"
        )
    asked = problem.features.recipes
    order = RECIPES if asked == "auto" else dict.fromkeys(["basic", *asked])
    names = [name for name in order if RECIPES[name].applies(kinds, problem)]
    return [
        Rung(name=name, description=RECIPES[name].description, steps=tuple(names[: index + 1]))
        for index, name in enumerate(names)
    ]


def _kinds(columns: Sequence[Column], problem: Problem) -> Kinds:
    history = {window.as_ for window in problem.features.windows}
    return {c.name: HISTORY if c.name in history else c.kind for c in columns}


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
    seen = _seen(dataset, steps, problem)
    parts = _parts(steps, Iteration(seen, found, before.parts if before else {}))
    plan = Plan(
        recipe=steps[-1],
        description=RECIPES[steps[-1]].description,
        iteration=iteration,
        steps=steps,
        columns=tuple((column.name, column.kind) for column in seen.columns),
        parts=dict(parts),
        selection=any(RECIPES[step].selects for step in steps),
        limits=EncoderLimits.of(problem.features),
        features=_features(steps, parts),
        why="",
    )
    last = before.recipe if before else steps[-2] if iteration else ""
    return plan.model_copy(update={"why": _why(plan, len(rungs), last, weakness, chosen)})


def _parts(steps: Sequence[str], iteration: Iteration) -> Parts:
    """Put together what the steps work on; a later one may take over a part of an earlier one."""
    return {name: part for step in steps for name, part in RECIPES[step].parts(iteration).items()}


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
    chosen, why = choose_next(rest, _kinds(dataset.columns, problem), findings)
    return (*before.steps, chosen), why


def _features(steps: Sequence[str], parts: Parts) -> dict[str, list[str]]:
    """Say in words what each step computes, for reports."""
    formats = {name: text for step in steps for name, text in RECIPES[step].display_formats.items()}
    words = {
        name: [formats.get(name, "{0}").format(*group) for group in groups]
        for name, groups in parts.items()
        if groups
    }
    selecting = {step: [RECIPES[step].description] for step in steps if RECIPES[step].selects}
    return words | selecting


def _why(plan: Plan, rungs: int, last: str, weakness: str, chosen: str) -> str:
    if plan.iteration == 0:
        return f"the first of {rungs} recipes: start simple"
    found = f"; evaluation found: {weakness}" if weakness else ""
    because = f", because {chosen}" if chosen else ""
    adds = "keeps" if RECIPES[plan.recipe].selects else "adds"
    return (
        f"{last!r} missed the objective{found}; {plan.recipe!r} {adds} {plan.description}{because}"
    )
