"""Feature recipes made concrete: those that are tried together, and the one that is added next."""

from collections.abc import Collection, Sequence

from pydantic import BaseModel, ConfigDict

from noria.common.messages import counted
from noria.contracts import Problem
from noria.contracts.features import Direction
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

    `recipe` names the `steps` above `basic`; `parts` says which columns each of them works on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    description: str
    iteration: int
    steps: tuple[str, ...] = ()
    columns: tuple[tuple[str, Kind], ...]
    parts: dict[str, Groups]
    selection: bool = False
    monotone: dict[str, Direction] = {}
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


def has_next(
    table: Dataset | Sequence[Column],
    problem: Problem,
    iteration: int,
    before: Plan,
    findings: Findings,
    tried: Collection[str] = (),
) -> bool:
    """Tell whether a recipe is left for the iteration after `iteration` that the contract allows.

    `before` is that iteration's plan, `findings` where its errors are, `tried` the recipes so far.
    """
    names = [rung.name for rung in ladder(table, problem)]
    allowed = iteration + 1 <= problem.features.maximum_iterations
    return allowed and bool(_untried(names, before, findings, tried))


def joint_plans(dataset: Dataset, problem: Problem) -> list[Plan]:
    """Make the plans that are tried together: `basic`, all recipes, each alone, and a selection.

    They are those whose columns are there; the first of them in this order, as many as
    `exploration.trials` has rounds of candidates for. With `exploration.stop: objective` only one.
    """
    names = [rung.name for rung in ladder(dataset, problem)]
    adding = [name for name in names[1:] if not RECIPES[name].selects]
    selecting = [name for name in names[1:] if RECIPES[name].selects]
    chosen = [names[:1], [names[0], *adding], *([names[0], name] for name in adding)]
    chosen += [[names[0], *adding, name] for name in selecting]
    plans = [_plan_of(dataset, problem, (*steps,), 0, Findings(), {}) for steps in chosen]
    differing = list({_computed(plan): plan for plan in reversed(plans)}.values())[::-1]
    distinct = differing[: _most_together(problem)]
    why = (
        f"one of {len(distinct)} recipes that are tried together"
        if len(distinct) > 1
        else f"the first of {counted(len(names), 'recipe')}: start simple"
    )
    return [plan.model_copy(update={"why": why}) for plan in distinct]


def _most_together(problem: Problem) -> int:
    exploration = problem.exploration
    if exploration.stop == "objective":
        return 1
    each = len(problem.candidates_of_every_recipe)
    others = len(problem.candidates) - each
    return max(1, (exploration.trials - others) // max(1, each))


def _computed(plan: Plan) -> tuple[object, ...]:
    """What tells plans apart: a recipe may find nothing to add to another one."""
    parts = frozenset((name, groups) for name, groups in plan.parts.items() if groups)
    return parts, plan.columns, plan.selection


def make_plan(
    dataset: Dataset,
    problem: Problem,
    iteration: int,
    weakness: str = "",
    before: Plan | None = None,
    findings: Findings | None = None,
    tried: Collection[str] = (),
) -> Plan:
    """Make the plan of iteration `iteration` (from 0).

    `before` is the plan of the one before, to which one recipe is added; without it the first
    rungs of the ladder are taken. `weakness` is why that one missed, `findings` where its errors
    are: they choose the recipe, and the columns that it concentrates on. What was `tried` before
    is not taken again, but where the findings ask for it.
    """
    rungs = ladder(dataset, problem)
    if not 0 <= iteration < len(rungs) and before is None:
        every = ", ".join(rung.name for rung in rungs)
        raise FeatureError(f"iteration {iteration} has no recipe: the ladder is {every}")
    names, found = [rung.name for rung in rungs], findings or Findings()
    steps, chosen = _steps(names, iteration, before, found, problem, dataset, tried)
    plan = _plan_of(dataset, problem, steps, iteration, found, before.parts if before else {})
    last = before.recipe if before else label(steps[:-1]) if iteration else ""
    return plan.model_copy(update={"why": _why(plan, len(rungs), last, weakness, chosen)})


def label(steps: Sequence[str]) -> str:
    """Name a plan by what it adds to the first recipe: "basic", "text", "calendar+text"."""
    return "+".join(steps[1:]) or steps[0]


def _plan_of(
    dataset: Dataset,
    problem: Problem,
    steps: tuple[str, ...],
    iteration: int,
    findings: Findings,
    before: Parts,
) -> Plan:
    seen = _seen(dataset, steps, problem)
    parts = _parts(steps, Iteration(seen, findings, before, problem.features.monotone))
    added = [RECIPES[step].description for step in steps[1:] or steps]
    return Plan(
        recipe=label(steps),
        description="; ".join(added),
        iteration=iteration,
        steps=steps,
        columns=tuple((column.name, column.kind) for column in seen.columns),
        parts=dict(parts),
        selection=any(RECIPES[step].selects for step in steps),
        monotone={
            name: way for name, way in problem.features.monotone.items() if name in seen.names()
        },
        limits=EncoderLimits.of(problem.features),
        features=_features(steps, parts),
        why="",
    )


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
    tried: Collection[str],
) -> tuple[tuple[str, ...], str]:
    """Return the recipes to take, and why the last of them was chosen."""
    if before is None:
        return tuple(names[: iteration + 1]), ""
    rest = _untried(names, before, findings, tried)
    if not rest:
        raise FeatureError(f"no recipe is left above {', '.join(before.steps)}")
    if problem.features.recipes != "auto":
        return (*before.steps, rest[0]), "next of features.recipes"
    chosen, why = choose_next(rest, _kinds(dataset.columns, problem), findings)
    return (*before.steps, chosen), why


def _untried(
    names: Sequence[str], before: Plan, findings: Findings, tried: Collection[str]
) -> list[str]:
    """The recipes that can be added to a plan, without those that were tried and did not help."""
    seen = {frozenset(one.split("+")) for one in tried}
    return [
        name
        for name in names
        if name not in before.steps
        and (frozenset((*before.steps[1:], name)) not in seen or findings.for_recipe(name))
    ]


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
        return f"the first of {counted(rungs, 'recipe')}: start simple"
    found = f"; evaluation found: {weakness}" if weakness else ""
    because = f", because {chosen}" if chosen else ""
    latest = plan.steps[-1]
    adds = "keeps" if RECIPES[latest].selects else "adds"
    told = RECIPES[latest].description
    return f"{last!r} missed the objective{found}; {latest!r} {adds} {told}{because}"
