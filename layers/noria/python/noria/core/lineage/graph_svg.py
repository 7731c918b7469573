"""A lineage as a picture: the chain drawn as boxes, in SVG; each box says what it is in brief."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from markupsafe import Markup

from noria.core.lineage.document import Kind, Lineage, Step
from noria.core.lineage.sentences import brief, printable
from noria.core.lineage.text_tree import TITLES
from noria.core.reporting import svg
from noria.core.reporting.stylesheet import STYLE

LEFT, RIGHT = 20, 2  # the rail from the run to contract and code is left of the boxes
BOX = svg.WIDTH - LEFT - RIGHT
PADDING, LINE = 9, 14.5
NAME = 38  # letters of bold type that a box is wide
INDENT = 12  # of a box's text
ROOM = svg.WIDTH - LEFT - INDENT
MOST_LINES, MOST_SOURCES = 6, 8
CLOSE, APART = 6.0, 26.0  # between boxes of one kind, and where an arrow goes
RAIL = 8.0
COLOURS: dict[Kind, str] = {
    "prediction": "c1", "model": "c0", "features": "c2", "run": "c3",
    "clean": "c2", "raw": "c2", "contract": "c3", "code": "c3",
}  # fmt: skip
# What the arrow down to a box says of the box above it.
ARROWS: dict[Kind, str] = {
    "model": "answered by",
    "features": "learnt from",
    "run": "made in",
    "clean": "from the run's",
    "raw": "joined and cleansed from",
}
STYLE_OF_BOXES = """
svg .box { fill:var(--paper); stroke:var(--line); stroke-width:1.2; }
svg .box.broken { stroke:var(--bad); stroke-width:2; }
svg .link { fill:none; stroke:var(--soft); stroke-width:1.3; }
svg .head { fill:var(--soft); }
svg text.wrong { fill:var(--bad); font-weight:600; }
svg .back { fill:var(--back); }
"""
STYLE_OF_FILE = """
svg { font-family:system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; margin:0 auto; }
"""
MARGIN = 10


@dataclass(frozen=True)
class _Box:
    step: Step
    lines: list[str]
    y: float

    @property
    def height(self) -> float:
        return 2 * PADDING + LINE * (2 + len(self.lines)) - 4

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height


def chain(lineage: Lineage) -> Markup:
    """Draw the chain from top to bottom as an SVG element, for a page with the report's style."""
    height, marks = _marks(lineage)
    return svg.picture(_title(lineage), height, marks)


def render_svg(lineage: Lineage) -> str:
    """Draw the chain as a file of its own, light or dark as its reader likes."""
    height, marks = _marks(lineage)
    width, tall = svg.WIDTH + 2 * MARGIN, height + 2 * MARGIN
    title = escape(_title(lineage))
    return printable(
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{title}" '
        f'viewBox="{-MARGIN} {-MARGIN} {width} {tall:.0f}"><title>{title}</title>'
        f"<style>{STYLE}{STYLE_OF_BOXES}{STYLE_OF_FILE}</style>"
        f"{svg.rect(-MARGIN, -MARGIN, width, tall, 'back')}{''.join(marks)}</svg>"
    )


def _title(lineage: Lineage) -> str:
    return f"Lineage of {lineage.asked}"


def _marks(lineage: Lineage) -> tuple[float, list[str]]:
    """The picture's height, and what is drawn in it."""
    boxes = _laid_out(_shown(lineage.steps))
    drawn = [mark for box in boxes for mark in _drawn(box)]
    return boxes[-1].bottom + 4, [*_arrows(boxes), *_rail(boxes), *drawn]


def _shown(steps: Sequence[Step]) -> list[Step]:
    """All steps, but of many sources only the first; a source that is broken is always shown."""
    sources = [step for step in steps if step.kind == "raw"]
    chosen = sorted(sources, key=lambda step: not step.problems)[:MOST_SOURCES]
    return [step for step in steps if step.kind != "raw" or step in chosen]


def _laid_out(steps: Sequence[Step]) -> list[_Box]:
    boxes: list[_Box] = []
    for step in steps:
        is_close = bool(boxes) and step.kind in ("code", boxes[-1].step.kind)
        y = boxes[-1].bottom + (CLOSE if is_close else APART) if boxes else 2.0
        boxes.append(_Box(step, _lines(step), y))
    return boxes


def _lines(step: Step) -> list[str]:
    """What the step is in brief, broken into so many lines, then how its objects are."""
    found = [line for sentence in brief(step) for line in svg.folded(sentence, ROOM, "axis")]
    cut = found[:MOST_LINES]
    if len(found) > MOST_LINES:
        cut[-1] = svg.fitted(f"{cut[-1]} …", ROOM, "axis")
    sums = [item for item in step.objects if item.sha256]
    return [*cut, _objects(step)] if sums else cut


def _objects(step: Step) -> str:
    sums = [item.sha256 for item in step.objects if item.sha256]
    same = sum(item.state == "same" for item in step.objects)
    if len(sums) == 1:
        return f"sha256 {sums[0][:16]}{' ✓' if same else ''}"
    return f"{len(sums)} checksums{f', {same} verified' if same else ''}"


def _drawn(box: _Box) -> list[str]:
    step, x, y = box.step, LEFT + INDENT, box.y + PADDING + 8
    name = step.name if len(step.name) <= NAME else f"{step.name[:18]}…{step.name[-18:]}"
    marks = [
        svg.rect(LEFT, box.y, BOX, box.height, "box broken" if step.problems else "box"),
        svg.rect(LEFT, box.y, 4, box.height, COLOURS[step.kind]),
        svg.text(x, y, TITLES[step.kind], kind="tiny"),
        svg.text(x, y + LINE, name, kind="value"),
    ]
    for place, line in enumerate(box.lines, 2):
        marks.append(svg.text(x, y + LINE * place, line, kind="axis"))
    if step.problems:
        wrong = f"✗ {len(step.problems)} broken"
        marks.append(svg.text(LEFT + BOX - 8, y, wrong, "end", "wrong"))
    return marks


def _arrows(boxes: Sequence[_Box]) -> list[str]:
    marks = []
    for above, below in pairwise(boxes):
        label = ARROWS.get(below.step.kind)
        if label and above.step.kind != below.step.kind:
            x = LEFT + 28
            marks += [svg.rule(x, above.bottom, x, below.y - 5, "link"), _head(x, below.y)]
            marks.append(svg.text(x + 9, above.bottom + APART / 2 + 4, label, kind="tiny"))
    return marks


def _head(x: float, y: float) -> str:
    corners = f"{x - 4:.1f},{y - 7:.1f} {x + 4:.1f},{y - 7:.1f} {x:.1f},{y:.1f}"
    return f'<polygon points="{corners}" class="head"/>'


def _rail(boxes: Sequence[_Box]) -> list[str]:
    """Lead from the run, left of everything between, to the contract and the code it ran by."""
    run = next((box for box in boxes if box.step.kind == "run"), None)
    ends = [box for box in boxes if box.step.kind in ("contract", "code")]
    if run is None or not ends:
        return []
    return [
        svg.rule(RAIL, run.middle, LEFT, run.middle, "link"),
        svg.rule(RAIL, run.middle, RAIL, ends[-1].middle, "link"),
        *[svg.rule(RAIL, box.middle, LEFT, box.middle, "link") for box in ends],
        svg.text(LEFT, ends[0].y - 8, "the run went by", kind="tiny"),
    ]
