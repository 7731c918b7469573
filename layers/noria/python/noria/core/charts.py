"""Small inline SVG charts: one palette, labelled axes, readable on a phone, no scripts.

Every chart is 330 units wide, so that its text is about as large as the page's on a phone.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from math import ceil, floor, isfinite, log10

WIDTH = 330
PALETTE = ("#2a6f97", "#d9731a", "#3d8b5f", "#8f4a8b")
NOTHING = "\N{EN DASH}"  # shown for a value that there is none of
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 26, 40


def number(value: float | None, digits: int = 3) -> str:
    """Write a number for people: 12,345 or 0.705 or 1.2e-9."""
    if value is None or not isfinite(value):
        return NOTHING
    if value == 0 or (abs(value) >= 1000 and abs(value) < 1e12):
        return f"{value:,.0f}"
    if abs(value) < 1e-4 or abs(value) >= 1e12:
        return f"{value:.1e}"
    return f"{value:.{digits}g}"


def date(seconds: float) -> str:
    """Write epoch seconds as a date."""
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d}"


def bars(
    title: str,
    items: Sequence[tuple[str, float]],
    unit: str = "",
    *,
    notes: Sequence[str] = (),
    highest: float | None = None,
    marker: float | None = None,
) -> str:
    """Draw horizontal bars with a label and a value each; `marker` is a dashed line."""
    row, top = 34, 6
    top_value = highest or max([value for _, value in items] + [marker or 0.0, 1e-12])
    height = top + row * len(items) + (22 if unit else 6)
    parts = []
    for place, (label, value) in enumerate(items):
        y = top + row * place
        length = max(0.0, min(1.0, value / top_value)) * (WIDTH - 70)
        note = notes[place] if place < len(notes) else number(value)
        parts += [
            _text(0, y + 11, _shortened(label, 52), "start"),
            _rect(0, y + 16, max(length, 1), 10, PALETTE[0]),
            _text(length + 6, y + 25, note, "start", "value"),
        ]
    if marker is not None:
        x = min(1.0, marker / top_value) * (WIDTH - 70)
        parts.append(_dashed(x, top, x, top + row * len(items)))
    if unit:
        parts.append(_text(0, height - 5, unit, "start", "axis"))
    return _svg(title, height, parts)


def histogram(
    title: str,
    edges: Sequence[float],
    series: Mapping[str, Sequence[float]],
    label: str,
    *,
    is_time: bool = False,
) -> str:
    """Draw one outline per class over shared bins; heights are shares within the class."""
    height = 204
    peak = max([share for shares in series.values() for share in shares] + [1e-12])
    scale = _Scale(edges[0], edges[-1], 0.0, peak, height)
    parts = scale.y_axis("share of rows" if len(series) < 2 else "share of the group", percent=True)
    parts += scale.x_axis(label, is_time=is_time)
    for place, shares in enumerate(series.values()):
        parts.append(_outline(scale, edges, shares, PALETTE[place % len(PALETTE)]))
    return _svg(title, height, parts) + legend(list(series))


def _outline(scale: "_Scale", edges: Sequence[float], shares: Sequence[float], colour: str) -> str:
    points = [(edges[0], 0.0)]
    for left, right, share in zip(edges, edges[1:], shares, strict=False):
        points += [(left, share), (right, share)]
    points.append((edges[-1], 0.0))
    path = " ".join(f"{scale.x(x):.1f},{scale.y(y):.1f}" for x, y in points)
    return (
        f'<polygon points="{path}" fill="{colour}" fill-opacity="0.22" stroke="{colour}" '
        'stroke-width="1.6" stroke-linejoin="round"/>'
    )


def grouped_bars(title: str, labels: Sequence[str], series: Mapping[str, Sequence[float]]) -> str:
    """Draw, per category, one bar for each class: the category's share within the class."""
    thick, gap, top = 9, 20, 6
    block = gap + thick * len(series)
    peak = max([share for shares in series.values() for share in shares] + [1e-12])
    parts = []
    for place, label in enumerate(labels):
        y = top + block * place
        parts.append(_text(0, y + 10, _shortened(label, 52), "start"))
        for line, shares in enumerate(series.values()):
            length = shares[place] / peak * (WIDTH - 60)
            y_bar = y + 14 + thick * line
            parts.append(_rect(0, y_bar, max(length, 1), thick - 1, PALETTE[line % len(PALETTE)]))
            parts.append(_text(length + 5, y_bar + 8, f"{shares[place]:.1%}", "start", "tiny"))
    height = top + block * len(labels) + 20
    parts.append(_text(0, height - 5, "share within the group", "start", "axis"))
    return _svg(title, height, parts) + legend(list(series))


def line(
    title: str,
    points: Sequence[tuple[float, float | None]],
    label: str,
    *,
    percent: bool = False,
    is_time: bool = True,
    from_zero: bool = True,
) -> str:
    """Draw a value over time (epoch seconds); None leaves a gap."""
    height = 204
    known = [(x, y) for x, y in points if y is not None]
    if len(known) < 2:
        return ""
    values = [y for _, y in known]
    low = min(0.0, *values) if from_zero else min(values)
    scale = _Scale(points[0][0], points[-1][0], low, max(*values, low + 1e-12), height)
    parts = scale.y_axis(label, percent=percent) + scale.x_axis("", is_time=is_time)
    colour = PALETTE[0]
    for run in _unbroken(points):
        path = " ".join(f"{scale.x(x):.1f},{scale.y(y):.1f}" for x, y in run)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" '
            'stroke-linejoin="round"/>'
        )
        parts += [
            f'<circle cx="{scale.x(x):.1f}" cy="{scale.y(y):.1f}" r="2" fill="{colour}"/>'
            for x, y in run
        ]
    return _svg(title, height, parts)


def _unbroken(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is None:
            runs.append([])
        else:
            runs[-1].append((x, y))
    return [run for run in runs if run]


def legend(names: Sequence[str]) -> str:
    """Name the colours, where there is more than one."""
    if len(names) < 2:
        return ""
    items = "".join(
        f'<span><i style="background:{PALETTE[place % len(PALETTE)]}"></i>{escape(name)}</span>'
        for place, name in enumerate(names)
    )
    return f'<p class="legend">{items}</p>'


class _Scale:
    """Maps values to the plot's area and draws its axes."""

    def __init__(self, x0: float, x1: float, y0: float, y1: float, height: int) -> None:
        self.x0, self.x1 = x0, x1 if x1 > x0 else x0 + 1
        self.ticks = _ticks(y0, y1)
        self.y0, self.y1 = min(y0, self.ticks[0]), max(y1, self.ticks[-1])
        self.height = height

    def x(self, value: float) -> float:
        """Map a value to the horizontal position."""
        return LEFT + (value - self.x0) / (self.x1 - self.x0) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Map a value to the vertical position."""
        inner = self.height - TOP - BOTTOM
        return TOP + inner * (1 - (value - self.y0) / (self.y1 - self.y0))

    def y_axis(self, label: str, *, percent: bool) -> list[str]:
        """Draw grid lines, their values, and the label above."""
        parts = [_text(0, 11, label, "start", "axis")]
        for tick in self.ticks:
            y = self.y(tick)
            shown = f"{tick:.3g}" if not percent else f"{tick * 100:.3g}%"
            shown = number(tick) if not percent and abs(tick) >= 1000 else shown
            parts.append(
                f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
            )
            parts.append(_text(LEFT - 5, y + 4, shown, "end"))
        return parts

    def x_axis(self, label: str, *, is_time: bool) -> list[str]:
        """Draw three values along the bottom and the label below."""
        base = self.height - BOTTOM
        middle = (self.x0 + self.x1) / 2
        parts = []
        for value, anchor in ((self.x0, "start"), (middle, "middle"), (self.x1, "end")):
            shown = date(value) if is_time else number(value)
            parts.append(_text(self.x(value), base + 15, shown, anchor))
        if label:
            parts.append(_text(self.x(middle), base + 32, _shortened(label, 44), "middle", "axis"))
        return parts


def _ticks(low: float, high: float, wanted: int = 4) -> list[float]:
    """Choose round values (1, 2, 2.5 or 5 times a power of ten) that cover a range."""
    span = high - low if high > low else 1.0
    power = 10 ** floor(log10(span / wanted))
    step = next((m * power for m in (1, 2, 2.5, 5, 10) if m * power * wanted >= span), 10 * power)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [step * place for place in range(first, max(last, first + 1) + 1)]


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def _text(x: float, y: float, content: str, anchor: str, kind: str = "tick") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">'
        f"{escape(content)}</text>"
    )


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" rx="2" '
        f'fill="{colour}"/>'
    )


def _dashed(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{PALETTE[1]}" '
        'stroke-width="1.6" stroke-dasharray="4 3"/>'
    )


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
