"""Charts of bars, distributions and lines; each survives nothing, one value and equal values."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from markupsafe import Markup

from noria.common.formatting import number, share
from noria.core.reporting import svg

HEIGHT = 204
NAMED_AXIS = 20  # more height for what stands below an axis
SHORTEST = 40  # of the longest bar, however long the notes are
Points = Sequence[tuple[float, float | None]]


def bars(
    title: str,
    items: Sequence[tuple[str, float]],
    unit: str = "",
    *,
    notes: Sequence[str] = (),
    limit: tuple[float, str] | None = None,
) -> Markup:
    """Draw horizontal bars with a label and a value each; `limit` is a dashed line with a name."""
    if not items:
        return Markup()
    row, top = 34, 20 if limit else 4
    shown = [*notes, *[number(value) for _, value in items[len(notes) :]]]
    room = max(svg.WIDTH - 6 - max(svg.breadth(note, "value") for note in shown), SHORTEST)
    longest = max([value for _, value in items] + [limit[0] if limit else 0.0, 1e-12])
    bottom = top + row * len(items)
    parts = _limit(limit[0] / longest * room, limit[1], bottom) if limit else []
    parts += [
        _bar(top + row * place, label, max(0.0, value / longest) * room, note)
        for place, ((label, value), note) in enumerate(zip(items, shown, strict=True))
    ]
    if unit:
        parts.append(svg.text(0, bottom + 17, unit, kind="axis"))
    return svg.picture(title, bottom + (22 if unit else 4), parts)


def _bar(y: float, label: str, length: float, note: str) -> str:
    return (
        svg.text(0, y + 11, label)
        + svg.rect(0, y + 16, max(length, 1), 10)
        + svg.text(length + 6, y + 25, note, kind="value")
    )


def _limit(x: float, name: str, bottom: float) -> list[str]:
    is_left = x < svg.WIDTH / 2
    written = svg.text(x + (4 if is_left else -4), 11, name, "start" if is_left else "end", "axis")
    return [svg.rule(x, 2, x, bottom, "limit"), written]


def histogram(
    title: str,
    edges: Sequence[float],
    series: Mapping[str, Sequence[float]],
    label: str,
    *,
    is_time: bool = False,
) -> Markup:
    """Draw one outline per group over shared bins; heights are shares within the group."""
    peak = max([value for shares in series.values() for value in shares] + [1e-12])
    scale = svg.Scale(edges[0], edges[-1], 0.0, peak, HEIGHT)
    axis = "share of rows" if len(series) < 2 else "share of the group"
    parts = scale.y_axis(axis, percent=True)
    inset = 0.5 if _is_whole(edges) else 0.0  # the middle of the outer bins
    parts += scale.x_axis(label, is_time=is_time, inset=inset)
    for place, shares in enumerate(series.values()):
        parts.append(svg.area(_outline(scale, edges, shares), place))
    return svg.picture(title, HEIGHT, parts) + svg.legend(list(series))


def _is_whole(edges: Sequence[float]) -> bool:
    """Whether each bin holds one whole number in its middle."""
    return all(b - a == 1 and a % 1 == 0.5 for a, b in pairwise(edges))


def _outline(
    scale: svg.Scale, edges: Sequence[float], shares: Sequence[float]
) -> list[tuple[float, float]]:
    points = [(edges[0], 0.0)]
    for left, right, value in zip(edges, edges[1:], shares, strict=False):
        points += [(left, value), (right, value)]
    points.append((edges[-1], 0.0))
    return [(scale.x(x), scale.y(y)) for x, y in points]


def grouped_bars(
    title: str, labels: Sequence[str], series: Mapping[str, Sequence[float]]
) -> Markup:
    """Draw, per category, one bar for each group: the category's share within the group."""
    thick, top = 9, 6
    shown = {name: [share(value) for value in shares] for name, shares in series.items()}
    noted = [note for notes in shown.values() for note in notes]
    room = svg.WIDTH - 5 - max([svg.breadth(note, "tiny") for note in noted] + [0.0])
    block = 20 + thick * len(series)
    peak = max([value for shares in series.values() for value in shares] + [1e-12])
    parts = []
    for place, label in enumerate(labels):
        y = top + block * place
        parts.append(svg.text(0, y + 10, label))
        for line, (name, shares) in enumerate(series.items()):
            length, y_bar = shares[place] / peak * room, y + 14 + thick * line
            parts.append(svg.rect(0, y_bar, max(length, 1), thick - 1, f"c{line % svg.COLOURS}"))
            parts.append(svg.text(length + 5, y_bar + 7.5, shown[name][place], kind="tiny"))
    bottom = top + block * len(labels)
    axis = "share of rows" if len(series) < 2 else "share of the group"
    parts.append(svg.text(0, bottom + 15, axis, kind="axis"))
    return svg.picture(title, bottom + 20, parts) + svg.legend(list(series))


def lines(
    title: str,
    series: Mapping[str, Points],
    label: str,
    *,
    percent: bool = False,
    from_zero: bool = True,
    along: str = "",
) -> Markup:
    """Draw values over time (epoch seconds), one line per series; None leaves a gap.

    `along` names what the values are drawn over where that is no time.

    Empty where no series has two known values.
    """
    known = {name: [(x, y) for x, y in points if y is not None] for name, points in series.items()}
    if max((len(points) for points in known.values()), default=0) < 2:
        return Markup()
    values = [y for points in known.values() for _, y in points]
    times = [x for points in series.values() for x, _ in points]
    low = min(0.0, *values) if from_zero else min(values)
    scale = svg.Scale(min(times), max(times), low, max(*values, low + 1e-12), HEIGHT - 16)
    parts = scale.y_axis(label, percent=percent) + scale.x_axis(along, is_time=not along)
    for place, points in enumerate(series.values()):
        for run in unbroken(points):
            parts.append(svg.path([(scale.x(x), scale.y(y)) for x, y in run], place))
    height = HEIGHT - 34 + (NAMED_AXIS if along else 0)
    return svg.picture(title, height, parts) + svg.legend(list(series))


def scatter(
    title: str, series: Mapping[str, Sequence[tuple[float, float]]], label: str, along: str
) -> Markup:
    """Draw points, one colour per series; empty where there are fewer than two."""
    points = [point for one in series.values() for point in one]
    if len(points) < 2:
        return Markup()
    across, values = [x for x, _ in points], [y for _, y in points]
    scale = svg.Scale(0.0, max(across), min(values), max(values), HEIGHT - 16)
    parts = scale.y_axis(label, percent=False) + scale.x_axis(along, is_time=False)
    for place, one in enumerate(series.values()):
        parts += [svg.dot(scale.x(x), scale.y(y), place) for x, y in one]
    return svg.picture(title, HEIGHT - 34 + NAMED_AXIS, parts) + svg.legend(list(series))


def unbroken(points: Points) -> list[list[tuple[float, float]]]:
    """Divide points into runs without a None."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is None:
            runs.append([])
        else:
            runs[-1].append((x, y))
    return [run for run in runs if run]
