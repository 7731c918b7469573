"""Plots that only the console draws, of the report's marks: a line with its band, and a strip."""

from collections.abc import Sequence

from markupsafe import Markup

from noria.common.formatting import date
from noria.core.reporting import svg
from noria.core.reporting.charts import HEIGHT

ROW, HEAD, FOOT = 26, 8, 24  # units
NAMED = 108  # units that the names left of a strip take
Bounds = Sequence[tuple[float, float | None, float | None]]


def banded(
    title: str,
    points: Sequence[tuple[float, float]],
    bounds: Bounds,
    label: str,
    *,
    limit: tuple[float, str] | None = None,
) -> Markup:
    """Draw values over time (epoch seconds) within their interval; empty without any.

    `bounds` are times with both ends, None where there are none. `limit` is a dashed line.
    """
    if not points:
        return Markup()
    inner = [(at, low, high) for at, low, high in bounds if low is not None and high is not None]
    values = [y for _, y in points] + [end for _, low, high in inner for end in (low, high)]
    values += [limit[0]] if limit else []
    times = [x for x, _ in points]
    scale = svg.Scale(min(times), max(times), min(values), max(values), HEIGHT - 16)
    parts = scale.y_axis(label, percent=False) + scale.x_axis("", is_time=True)
    if len(inner) > 1:
        upper = [(scale.x(at), scale.y(high)) for at, _, high in inner]
        lower = [(scale.x(at), scale.y(low)) for at, low, _ in reversed(inner)]
        parts.append(svg.area([*upper, *lower], 0))
    else:
        parts += [
            svg.rect(scale.x(at) - 1, scale.y(high), 2, scale.y(low) - scale.y(high), "c0", 0.5)
            for at, low, high in inner
        ]
    if limit:
        y = scale.y(limit[0])
        parts += [svg.rule(svg.LEFT, y, svg.WIDTH - svg.RIGHT, y, "limit"),
                  svg.text(svg.WIDTH - svg.RIGHT, y - 4, limit[1], "end", "axis")]  # fmt: skip
    parts.append(svg.path([(scale.x(x), scale.y(y)) for x, y in points], 0))
    return svg.picture(title, HEIGHT - 34, parts)


def strip(title: str, marks: Sequence[tuple[float, str, str]], kinds: Sequence[str]) -> Markup:
    """Draw marks over time (epoch seconds), a row for each name, a colour for each kind.

    `marks` are times with a name and a kind of `kinds`; empty without any.
    """
    if not marks:
        return Markup()
    rows = list(dict.fromkeys(name for _, name, _ in marks))
    times = [at for at, _, _ in marks]
    first, span = min(times), max(max(times) - min(times), 1.0)
    room = svg.WIDTH - NAMED - 16
    bottom = HEAD + ROW * len(rows)
    parts: list[str] = []
    for place, name in enumerate(rows):
        y = HEAD + ROW * place + ROW / 2
        parts += [svg.text(0, y + 4, name), svg.rule(NAMED, y, svg.WIDTH - 6, y)]
    for at, name, kind in marks:
        y = HEAD + ROW * rows.index(name) + ROW / 2
        parts.append(svg.dot(NAMED + 5 + (at - first) / span * room, y, kinds.index(kind)))
    shown = [(first, NAMED, "start"), (max(times), svg.WIDTH - 6, "end")]
    shown = shown if max(times) > first else shown[:1]
    parts += [svg.text(x, bottom + 15, date(at), anchor) for at, x, anchor in shown]
    drawn = svg.picture(title, bottom + FOOT, parts)
    return drawn + svg.legend([f"started by {_article(kind)}" for kind in kinds])


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
