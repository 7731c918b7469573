"""What small inline SVG charts are drawn with: marks, a scale with axes, a legend.

Every chart is 330 units wide, so that its text is about as large as the page's on a phone.
Colours are classes of the report's style sheet: `c0` to `c3`, light and dark.
"""

from collections.abc import Sequence
from html import escape
from itertools import accumulate, takewhile
from math import ceil, floor, log10

from markupsafe import Markup

from noria.common.formatting import date, hour, number, shortened

WIDTH = 330
COLOURS = 4
MOST_DIGITS = (3, 4, 5)  # of a tick; more have no room beside an axis
SHORT = 3 * 86_400  # seconds along an axis, below which its times have hours
LONGEST = 10  # letters of a value below an axis, where three stand side by side
NAMED = 60  # letters of a name in a legend
LETTER = 6.1  # units that a letter of 11 units takes, on average
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 26, 40
SIZES = {"tiny": 9.5}  # of the style sheet's classes; the others are 11 units
#: Widths in ems, rounded up from DejaVu Sans Bold, the widest font that the page may fall back to.
NARROW, USUAL, CAPITAL, WIDE = 0.46, 0.72, 0.87, 1.11
OF_LETTERS = (
    dict.fromkeys(map(chr, range(32, 127)), USUAL)
    | dict.fromkeys("!'()[],-./:;I\\fijlt| ", NARROW)
    | dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ#&+<=>^~", CAPITAL)
    | dict.fromkeys("mwMW%@", WIDE)
)
ROUNDING = 0.01  # what is laid out to fit exactly does fit
LIGHTER = 0.95  # what of that letters take that are not bold


def picture(title: str, height: float, parts: Sequence[str]) -> Markup:
    """Put marks together as one picture with a title for those who cannot see it."""
    return Markup(  # noqa: S704 - `text` and this escape what is written
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def text(x: float, y: float, content: str, anchor: str = "start", kind: str = "tick") -> str:
    """Write a text, cut to the room that it has; `kind` is a class: tick, axis, value or tiny."""
    room = {"start": WIDTH - x, "end": x}.get(anchor, 2 * min(x, WIDTH - x))
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">'
        f"{escape(fitted(content, room, kind))}</text>"
    )


def breadth(content: str, kind: str = "tick") -> float:
    """The units that a text takes at most; scripts beyond ASCII count as wide."""
    ems = sum(OF_LETTERS.get(letter, WIDE) for letter in content)
    return ems * SIZES.get(kind, 11) * (1 if kind == "value" else LIGHTER)


def fitted(content: str, room: float, kind: str = "tick") -> str:
    """Cut a text to so many units, with an ellipsis where something is left out."""
    if breadth(content, kind) <= room + ROUNDING:
        return content
    # Not cut letter by letter: a cell of a megabyte would take its square.
    left = room - breadth("…", kind)
    widths = accumulate(breadth(letter, kind) for letter in content)
    kept = sum(1 for _ in takewhile(lambda width: width <= left, widths))
    return content[:kept].rstrip() + "…"


def folded(content: str, room: float, kind: str = "tick") -> list[str]:
    """Break a text at its blanks into lines of so many units; a longer word has its own."""
    lines: list[str] = []
    for word in content.split():
        if lines and breadth(f"{lines[-1]} {word}", kind) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def rect(
    x: float, y: float, width: float, height: float, kind: str = "c0", opacity: float = 1.0
) -> str:
    """Draw a filled rectangle in the colour of a class."""
    faint = f' fill-opacity="{opacity:.2f}"' if opacity < 1 else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2" '
        f'class="{kind}"{faint}/>'
    )


def rule(x1: float, y1: float, x2: float, y2: float, kind: str = "grid") -> str:
    """Draw a straight line: `grid`, or a dashed `limit`."""
    return f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def path(points: Sequence[tuple[float, float]], place: int, dots: bool = True) -> str:
    """Draw a line through points, with a dot at each, in the colour of the n-th series."""
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    line = f'<polyline points="{drawn}" class="line s{place % COLOURS}"/>'
    circles = [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" class="c{place % COLOURS}"/>' for x, y in points
    ]
    return line + "".join(circles if dots else [])


def dot(x: float, y: float, place: int) -> str:
    """Draw a point in the colour of the n-th series."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" class="c{place % COLOURS}"/>'


def area(points: Sequence[tuple[float, float]], place: int) -> str:
    """Draw a filled outline in the colour of the n-th series."""
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    colour = place % COLOURS
    return f'<polygon points="{drawn}" class="area c{colour} s{colour}"/>'


def legend(names: Sequence[str]) -> Markup:
    """Name the colours, where there is more than one."""
    if len(names) < 2:
        return Markup()
    items = "".join(
        f'<span><i class="b{place % COLOURS}"></i>{escape(shortened(name, NAMED))}</span>'
        for place, name in enumerate(names)
    )
    return Markup(f'<p class="legend">{items}</p>')  # noqa: S704 - escaped above


class Scale:
    """Maps values to the plot's area and draws its axes."""

    def __init__(
        self, x0: float, x1: float, y0: float, y1: float, height: float, bottom: float = BOTTOM
    ) -> None:
        self.x0, self.x1 = x0, x1 if x1 > x0 else x0 + 1
        self.ticks = _ticks(y0, y1)
        self.y0, self.y1 = min(y0, self.ticks[0]), max(y1, self.ticks[-1])
        self.base = height - bottom

    def x(self, value: float) -> float:
        """Map a value to the horizontal position."""
        return LEFT + (value - self.x0) / (self.x1 - self.x0) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Map a value to the vertical position."""
        return TOP + (self.base - TOP) * (1 - (value - self.y0) / (self.y1 - self.y0))

    def y_axis(self, label: str, *, percent: bool) -> list[str]:
        """Draw grid lines, their values, and the label above."""
        parts = [text(0, 11, label, kind="axis")]
        for tick, shown in zip(self.ticks, _written(self.ticks, percent=percent), strict=True):
            y = self.y(tick)
            parts.append(rule(LEFT, y, WIDTH - RIGHT, y))
            parts.append(text(max(LEFT - 5, breadth(shown)), y + 4, shown, "end"))
        return parts

    def x_axis(self, label: str, *, is_time: bool, inset: float = 0.0) -> list[str]:
        """Draw three values along the bottom, the outer ones moved in, and the label below."""
        middle = (self.x0 + self.x1) / 2
        ends = ((self.x0 + inset, "start"), (middle, "middle"), (self.x1 - inset, "end"))
        parts = []
        for value, anchor in ends:
            written = number(value) if len(number(value)) <= LONGEST else compact(value)
            shown = self._time(value) if is_time else written
            parts.append(text(self.x(value), self.base + 15, shown, anchor))
        if label:
            parts.append(text(self.x(middle), self.base + 32, label, "middle", "axis"))
        return parts

    def _time(self, seconds: float) -> str:
        """A time below the axis: with its hour where the days are few."""
        return hour(seconds) if self.x1 - self.x0 < SHORT else date(seconds)


def _written(ticks: Sequence[float], *, percent: bool) -> list[str]:
    """Ticks with as many digits as tell them apart, three at least."""
    shown: list[str] = []
    for digits in MOST_DIGITS:
        shown = [f"{v * 100:.{digits}g}%" if percent else compact(v, digits) for v in ticks]
        if len({*shown}) == len(shown):
            break
    return shown


def compact(value: float, digits: int = 3) -> str:
    """Write a tick in the little room beside an axis: 2,500 and 25k, 1.2M, 2.5e-9."""
    for size, letter in ((1e12, ""), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            scaled = value / (1e3 if letter == "k" else size)
            return f"{scaled:.4g}{letter}" if letter else f"{value:.1e}".replace("e+", "e")
    return number(value, digits).replace("e-0", "e-")


def _ticks(low: float, high: float, wanted: int = 4) -> list[float]:
    """Choose round values (1, 2, 2.5 or 5 times a power of ten) that cover a range."""
    span = high - low if high > low else 1.0
    power = 10 ** floor(log10(span / wanted))
    step = next((m * power for m in (1, 2, 2.5, 5, 10) if m * power * wanted >= span), 10 * power)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [step * place for place in range(first, max(last, first + 1) + 1)]
