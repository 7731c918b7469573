"""The machine's picture on a page: drawn once, its states and ways lit as a run goes through them.

Colours are variables of the style sheet, so that one picture is light and dark.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from itertools import pairwise

from markupsafe import Markup

from infra.console.execution_story import StateStep
from infra.docs.machine import Json
from infra.docs.machine_layout import BACK, NEAR
from infra.docs.machine_picture import LIVE_USE, draw
from infra.docs.palettes import PALETTES, Palette

NAMES = tuple(one.name for one in fields(Palette))
VARIABLES = Palette(**{name: f"var(--m-{name})" for name in NAMES})
Lit = Mapping[str, Sequence[str]]


def picture(states: Json) -> Markup | None:
    """Draw the machine; None where it has states without a place: another Noria deployed it."""
    try:
        drawn = draw(states, VARIABLES, marked=True)
    except KeyError:
        return None
    return Markup(drawn.replace("<svg ", '<svg class="machine" ', 1))  # noqa: S704 - `draw` escapes


def colours(version: str) -> str:
    """The picture's colours as declarations of a style sheet; `version` is light or dark."""
    palette = PALETTES[version]
    return " ".join(f"--m-{name}:{getattr(palette, name)};" for name in NAMES)


def lit(steps: Sequence[StateStep], *, running: bool) -> dict[str, list[str]]:
    """The parts of the picture that a run went through, where it is, and what failed."""
    names = [step.state for step in steps]
    boxes = [names[0]] if names else []
    ways = []
    for source, target in pairwise(names):
        ways.append(f"{source}>{target}")
        if (target, source) in BACK:
            ways.append(f"{target}>{source}")
        if (source, target) not in NEAR:
            boxes.append(target)
    last = names[-1] if names else ""
    live = [LIVE_USE] if last == "Promote" and not running else []
    near = names[-2:] if tuple(names[-2:]) in NEAR else [last]
    return {
        "done": list(dict.fromkeys([*boxes, *ways, *live])),
        "now": [">".join(near)] if running and last else [],
        "bad": [step.state for step in steps if step.error],
    }
