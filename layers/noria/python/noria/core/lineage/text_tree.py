"""A lineage as text: a tree for terminals, what is broken last."""

from textwrap import wrap

from noria.common.formatting import shortened
from noria.core.lineage.document import Item, Lineage, State, Step
from noria.core.lineage.sentences import printable, sentences

WIDTH = 110
SHORT = 12  # letters of a checksum that are shown
MOST_FILES = 12
MOST_LINES = 8  # of one sentence
TITLES = {
    "prediction": "prediction",
    "model": "model version",
    "features": "features",
    "run": "run",
    "clean": "clean data",
    "raw": "raw data",
    "contract": "contract",
    "code": "code version",
}
STATES: dict[State, str] = {
    "unchecked": "",
    "present": "there",
    "same": "✓ unchanged",
    "changed": "✗ changed",
    "replaced": "only as an earlier version",
    "missing": "✗ gone",
    "elsewhere": "not in this bucket",
}


def render_text(lineage: Lineage) -> str:
    """Write the tree: a branch per step, its sentences and objects below it, problems last."""
    lines = [f"{lineage.stack}: {lineage.asked}"]
    last = len(lineage.steps) - 1
    for place, step in enumerate(lineage.steps):
        branch, below = ("└─ ", "   ") if place == last else ("├─ ", "│  ")
        lines.append(f"{branch}{heading(step)}")
        lines += [f"{below}{line}" for line in _details(step)]
    if lineage.problems:
        lines.append("")
        lines += [f"! {problem}" for problem in lineage.problems]
    lines += ["", closing(lineage)]
    return printable("\n".join(lines))


def heading(step: Step) -> str:
    """Name a step."""
    return f"{TITLES[step.kind]} {step.name}"


def closing(lineage: Lineage) -> str:
    """Say in one sentence whether the chain is whole."""
    count = len(lineage.problems)
    items = [item for step in lineage.steps for item in step.objects]
    same = sum(item.state == "same" for item in items)
    if count:
        return f"{count} {'link is' if count == 1 else 'links are'} broken or changed."
    if lineage.verified:
        return f"Every link is there; {same} objects hashed, none changed."
    return "Every link is there; --verify hashes the objects again."


def _details(step: Step) -> list[str]:
    lines = [line for sentence in sentences(step) for line in _wrapped(sentence)]
    shown = [object_line(item) for item in step.objects[:MOST_FILES]]
    more = len(step.objects) - len(shown)
    return [*lines, *shown, *([f"· and {more} more"] if more > 0 else [])]


def state_of(item: Item) -> str:
    """Say what an object is now, with the S3 version that still has its bytes."""
    return f"{STATES[item.state]}{f' ({item.version})' if item.version else ''}"


def _wrapped(sentence: str) -> list[str]:
    lines = wrap(sentence, WIDTH, subsequent_indent="  ")
    return [*lines[: MOST_LINES - 1], shortened(" ".join(lines[MOST_LINES - 1 :]), WIDTH)][
        : len(lines)
    ]


def object_line(item: Item) -> str:
    """Write one object: name or address, rows, checksum, and what it is now."""
    parts = [
        item.where,
        f"{item.rows:,} rows" if item.rows is not None else "",
        f"sha256 {item.sha256[:SHORT]}" if item.sha256 else "",
        state_of(item),
    ]
    return "· " + " · ".join(part for part in parts if part)
