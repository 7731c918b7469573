"""The machine as a picture: SVG, in a light and a dark version."""

from collections.abc import Iterator
from html import escape
from itertools import pairwise

from infra.docs.machine import Arrow, Json, arrows_of
from infra.docs.machine_geometry import HALF_HEIGHT, HALF_WIDTH, LEFT, beside, middle, port, route
from infra.docs.machine_layout import BACK, HAPPY, LIVE, LOOP, MEANINGS, NEAR, PLACES, Point
from infra.docs.palettes import Palette

WIDTH, HEIGHT = 1146, 1024
RIM = 1130  # where the restart runs, right of all
FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI','Noto Sans',Helvetica,Arial,sans-serif"
LIVE_USE = "live use"  # the part of the boxes and lines that are no states
LEGEND = " \u00b7 ".join(
    (
        "thick: a run that deploys a model",
        "six corners: a decision",
        "stacked: one per source or trial",
        "yellow: waits for a person",
        "round: an ending",
        "dashed: live use",
    )
)


def draw(states: Json, palette: Palette, *, marked: bool = False) -> str:
    """Draw every state and every arrow between them; KeyError for a state without a place.

    Where it is `marked`, states and arrows are groups with `data-part`: `Admit`,
    `Admit>AdmittedToRun`; an ending that stands in a second place is part of its arrow, and what
    follows a promotion is one part.
    """
    part = _marked if marked else _unmarked
    arrows = [arrow for arrow in arrows_of(states) if (arrow.source, arrow.target) not in BACK]
    parts = [
        *(part(_way(arrow), _arrow(arrow, palette)) for arrow in sorted(arrows, key=_is_happy)),
        *(part(LIVE_USE, line) for line in _live_lines(palette)),
        *(part(name, _state(name, state, palette)) for name, state in states.items()),
        *(
            part(f"{source}>{name}", _ending(name, place, palette))
            for (source, name), place in NEAR.items()
        ),
        *(
            part(LIVE_USE, _box(name, place, palette.live, palette, dashed=True))
            for name, place in LIVE.items()
        ),
        *(part(_way(arrow), _label(arrow, palette)) for arrow in arrows),
        *_notes(palette),
    ]
    return _document(parts, palette)


def _way(arrow: Arrow) -> str:
    return f"{arrow.source}>{arrow.target}"


def _marked(name: str, drawn: str) -> str:
    return f'<g data-part="{escape(name)}">{drawn}</g>' if drawn else ""


def _unmarked(name: str, drawn: str) -> str:
    return drawn


def _document(parts: list[str], palette: Palette) -> str:
    title = "The machine: from the collected data to a deployed model, and back at an alarm"
    heads = "".join(
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="{size}" '
        f'markerHeight="{size}" orient="auto-start-reverse" markerUnits="userSpaceOnUse">'
        f'<path d="M0 0L8 4L0 8Z" fill="{colour}"/></marker>'
        for name, size, colour in (
            ("rare", 9, palette.line),
            ("loop", 10, palette.happy),
            ("happy", 13, palette.happy),
        )
    )
    body = "\n".join(part for part in parts if part)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" font-family="{FONT}" font-size="14">\n'
        f"<title>{title}</title>\n<defs>{heads}</defs>\n"
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="{palette.page}"/>\n{body}\n</svg>\n'
    )


# -- states ----------------------------------------------------------------------------------


def _state(name: str, state: Json, palette: Palette) -> str:
    place = PLACES[name]
    kind = state["Type"]
    if kind == "Choice":
        return _choice(name, place, palette)
    if state.get("End") or kind == "Fail":
        return _ending(name, place, palette)
    if state.get("Resource", "").endswith("waitForTaskToken"):
        return _box(name, place, palette.ask, palette)
    behind = _rectangle(place, palette.task, palette, shift=4) if kind == "Map" else ""
    return behind + _box(name, place, palette.task, palette)


def _rectangle(
    place: Point, fill: str, palette: Palette, *, shift: float = 0, round_: float = 5,
    dashed: bool = False, edge: str = "",
) -> str:  # fmt: skip
    x, y = middle(place)
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    return (
        f'<rect x="{x - HALF_WIDTH + shift:g}" y="{y - HALF_HEIGHT + shift:g}" '
        f'width="{2 * HALF_WIDTH}" height="{2 * HALF_HEIGHT}" rx="{round_:g}" fill="{fill}" '
        f'stroke="{edge or palette.line}"{dashes}/>'
    )


def _box(name: str, place: Point, fill: str, palette: Palette, *, dashed: bool = False) -> str:
    edge = palette.happy if name in HAPPY else palette.line
    return _rectangle(place, fill, palette, dashed=dashed, edge=edge) + _name(name, place, palette)


def _ending(name: str, place: Point, palette: Palette) -> str:
    fill = {"Promote": palette.good, "Failed": palette.bad, "RollBack": palette.bad}
    edge = palette.happy if name in HAPPY else palette.line
    rectangle = _rectangle(
        place, fill.get(name, palette.ending), palette, round_=HALF_HEIGHT, edge=edge
    )
    return rectangle + _name(name, place, palette)


def _choice(name: str, place: Point, palette: Palette) -> str:
    x, y = middle(place)
    width, height, slant = HALF_WIDTH, HALF_HEIGHT + 1, 14
    points = (
        (x - width, y), (x - width + slant, y - height), (x + width - slant, y - height),
        (x + width, y), (x + width - slant, y + height), (x - width + slant, y + height),
    )  # fmt: skip
    edge = palette.happy if name in HAPPY else palette.line
    outline = " ".join(f"{one:g},{other:g}" for one, other in points)
    shape = f'<polygon points="{outline}" fill="{palette.choice}" stroke="{edge}"/>'
    return shape + _name(f"{name}?", place, palette)


def _name(name: str, place: Point, palette: Palette) -> str:
    x, y = middle(place)
    return _text(x, y + 5, name, palette.text, "middle")


# -- arrows ----------------------------------------------------------------------------------


def _arrow(arrow: Arrow, palette: Palette) -> str:
    points, both = route(arrow), (arrow.target, arrow.source) in BACK
    if _is_happy(arrow):
        return _line(points, palette.happy, 3, "happy")
    if (arrow.source, arrow.target) == LOOP:
        return _line(points, palette.happy, 1.8, "loop", dashed=True)
    return _line(points, palette.line, 1.4, "rare", both=both)


def _is_happy(arrow: Arrow) -> bool:
    return (arrow.source, arrow.target) in pairwise(HAPPY)


def _line(
    points: list[Point], colour: str, width: float, head: str,
    *, both: bool = False, dashed: bool = False,
) -> str:  # fmt: skip
    path = "L".join(f"{x:g} {y:g}" for x, y in points)
    start = f' marker-start="url(#{head})"' if both else ""
    dashes = ' stroke-dasharray="6 4"' if dashed else ""
    return (
        f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="{width:g}" '
        f'stroke-linejoin="round"{dashes}{start} marker-end="url(#{head})"/>'
    )


def _live_lines(palette: Palette) -> Iterator[str]:
    """Live use: the promoted model answers, the monitor looks, an alarm starts the machine."""
    names = list(LIVE)
    promoted, endpoint = port(PLACES["Promote"], "bottom"), port(LIVE[names[0]], "top")
    yield _line([promoted, endpoint], palette.happy, 3, "happy")
    for one, other in pairwise(LIVE[name] for name in names):
        yield _line([port(one, "right"), port(other, "left")], palette.happy, 3, "happy")
    x, y = port(LIVE[names[-1]], "right")
    top, bottom = port(PLACES["Admit"], "top"), 26
    corners = [(x, y), (RIM, y), (RIM, bottom), (top[0], bottom), top]
    yield _line(corners, palette.happy, 3, "happy")


# -- words -----------------------------------------------------------------------------------


def _label(arrow: Arrow, palette: Palette) -> str:
    """What a branch means, where the arrow leaves its choice or where it turns away."""
    choice = any(key[0] == arrow.source for key in MEANINGS)
    if not choice and not arrow.value:
        return ""
    words = MEANINGS.get((arrow.source, arrow.value), arrow.value)
    points = route(arrow)
    accented = _is_happy(arrow) or (arrow.source, arrow.target) == LOOP
    colour = palette.happy if accented else palette.quiet
    x, y, anchor = beside(points)
    return _text(x, y, words, colour, anchor, small=True)


def _notes(palette: Palette) -> Iterator[str]:
    x, y = port(PLACES["RecordFailure"], "left")
    yield _text(x - 8, y + 4, "whatever fails", palette.quiet, "end", small=True)
    column = middle(PLACES["BeatsChampion"])[0]
    told = "an alarm on drift, quality, new rows or age: EventBridge starts the next training run"
    yield _text(column + HALF_WIDTH, 20, told, palette.happy, "end", small=True)
    yield _text(LEFT - HALF_WIDTH, HEIGHT - 14, LEGEND, palette.quiet, "start", small=True)


def _text(
    x: float, y: float, words: str, colour: str, anchor: str, *, small: bool = False
) -> str:  # fmt: skip
    size = ' font-size="13"' if small else ""
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{colour}" text-anchor="{anchor}"{size}>'
        f"{escape(words)}</text>"
    )
