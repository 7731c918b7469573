"""What the objects of a lineage have become, and what to do about those that changed."""

from collections.abc import Mapping

from noria.core.lineage.document import Item, Kind, Lineage, State, Step

Found = tuple[State, str | None]
# What a model version needs to serve, and what its run decided by; the rest is only history.
BINDING: frozenset[Kind] = frozenset({"model", "features", "run", "clean", "contract"})


def objects_of(lineage: Lineage) -> list[Item]:
    """List the objects that are in the stack's bucket or may be."""
    return [item for step in lineage.steps for item in step.objects]


def audited(lineage: Lineage, states: Mapping[str, Found], *, verified: bool) -> Lineage:
    """Write down what each object is now (by `where`), and name what is missing or changed.

    Of several problems of one object the one with the best remedy is kept.
    """
    steps = [_with_states(step, states) for step in lineage.steps]
    told = {item.where for step in steps for item in step.objects if _problem(step.kind, item)}
    steps = [_with_problems(step, told) for step in steps]
    return lineage.model_copy(update={"steps": steps, "verified": verified})


def _with_states(step: Step, states: Mapping[str, Found]) -> Step:
    items = [_with_state(item, states.get(item.where)) for item in step.objects]
    return step.model_copy(update={"objects": items})


def _with_problems(step: Step, told: set[str]) -> Step:
    """Add what is wrong with the step's objects; `told` gains those of which something is said."""
    kept = []
    for problem in step.problems:
        subject = problem.partition(" ")[0]
        if subject not in told:
            kept.append(problem)
        told |= {subject} if "/" in subject else set()
    found = [_problem(step.kind, item) for item in step.objects]
    return step.model_copy(update={"problems": [*kept, *filter(None, found)]})


def _with_state(item: Item, found: Found | None) -> Item:
    if found is None:
        return item
    return item.model_copy(update={"state": found[0], "version": found[1]})


def _problem(kind: Kind, item: Item) -> str | None:
    if item.state == "missing" and item.version:
        return f"{item.where} is gone: restore it, S3 still has version {item.version}"
    if item.state == "missing":
        return f"{item.where} is gone and no earlier version is kept: {_remedy(kind, item)}"
    if item.state == "changed":
        return f"{item.where} has changed since: {_remedy(kind, item)}"
    if item.state == "replaced" and kind in BINDING:
        return (
            f"{item.where} was replaced or deleted: restore what was recorded, S3 still has it as "
            f"version {item.version}"
        )
    return None


def _remedy(kind: Kind, item: Item) -> str:
    if kind == "model":
        return "this version cannot serve again; start a new run"
    if kind == "raw":
        if item.sha256:
            return f"upload the file with SHA-256 {item.sha256[:12]} again to repeat this run"
        return "a new run collects it again"
    return "this run cannot be repeated as it was; start a new run"
