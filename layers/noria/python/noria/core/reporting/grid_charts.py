"""Charts on a grid: the target by season, by day of the week and hour, and what is missing."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from noria.common.formatting import number, share, shortened
from noria.core.reporting import svg
from noria.core.reporting.charts import unbroken

Cells = Sequence[Sequence[float | None]]
FAINTEST = 0.08


def season(
    title: str,
    labels: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    rows: Sequence[int],
    label: str,
    *,
    percent: bool,
) -> Markup:
    """Draw the target per part of the calendar above bars of the rows in each."""
    values = [value for means in series.values() for value in means if value is not None]
    if not values:
        return Markup()
    low = 0.0 if percent else min(values)
    scale = svg.Scale(-0.5, len(labels) - 0.5, low, max(*values, low + 1e-12), 150, bottom=14)
    parts = scale.y_axis(label, percent=percent)
    for place, means in enumerate(series.values()):
        for run in unbroken([(float(x), y) for x, y in enumerate(means)]):
            parts.append(svg.path([(scale.x(x), scale.y(y)) for x, y in run], place))
    parts += _rows_below(scale, rows, 152, 30) + _under(scale, labels, 197)
    return svg.picture(title, 204, parts) + svg.legend(list(series))


def _rows_below(scale: svg.Scale, rows: Sequence[int], top: float, height: float) -> list[str]:
    most, wide = max([*rows, 1]), (scale.x(1) - scale.x(0)) * 0.76
    parts = [svg.text(svg.LEFT - 5, top + height - 8, "rows", "end", "tiny")]
    for place, count in enumerate(rows):
        tall = count / most * height
        x = scale.x(place) - wide / 2
        parts.append(svg.rect(x, top + height - tall, wide, max(tall, 0.5), "faint"))
    return parts


def _under(scale: svg.Scale, labels: Sequence[str], y: float) -> list[str]:
    every = 3 if len(labels) > 12 else 1
    kind = "tiny" if len(labels) > 7 else "tick"
    return [
        svg.text(scale.x(place), y, name, "middle", kind)
        for place, name in enumerate(labels)
        if place % every == 0
    ]


def heat_map(
    title: str, rows: Sequence[str], columns: Sequence[str], cells: Cells, *, percent: bool
) -> Markup:
    """Draw values as the strength of one colour; None leaves the cell empty."""
    known = [value for line in cells for value in line if value is not None]
    if not known:
        return Markup()
    low, high = min(known), max(known)
    left, tall, wide = 34, 17, (svg.WIDTH - 34) / max(len(columns), 1)
    parts = [svg.text(0, 13 + tall * place, name) for place, name in enumerate(rows)]
    for line, values in enumerate(cells):
        for place, value in enumerate(values):
            if value is not None:
                strength = FAINTEST + (1 - FAINTEST) * (value - low) / ((high - low) or 1)
                parts.append(
                    svg.rect(
                        left + wide * place, tall * line + 1, wide - 1, tall - 1, "c1", strength
                    )
                )
    bottom = tall * len(rows)
    parts += [
        svg.text(left + wide * (place + 0.5), bottom + 13, columns[place], "middle", "tiny")
        for place in range(0, len(columns), 3)
    ]
    return svg.picture(title, bottom + 38, [*parts, *_key(low, high, bottom + 22, percent)])


def _key(low: float, high: float, y: float, percent: bool) -> list[str]:
    """Draw what the faintest and the strongest colour stand for."""
    least, most = (share(low), share(high)) if percent else (number(low), number(high))
    after = 34 + svg.LETTER * len(least) + 6
    steps = [
        svg.rect(after + 14 * place, y + 1, 13, 10, "c1", FAINTEST + (1 - FAINTEST) * place / 6)
        for place in range(7)
    ]
    return [svg.text(34, y + 10, least), *steps, svg.text(after + 14 * 7 + 5, y + 10, most)]


def patterns(
    title: str, columns: Sequence[str], found: Sequence[tuple[float, Sequence[str]]]
) -> Markup:
    """Draw which columns are missing at once: a line per column, a filled cell per pattern.

    `found` holds the share of rows and the missing columns of each pattern.
    """
    if not columns or not found:
        return Markup()
    left, tall = 148, 17
    wide = min(34.0, (svg.WIDTH - left) / len(found))
    parts = []
    for place, (rows, _) in enumerate(found):
        x = left + wide * (place + 0.5)
        parts.append(svg.text(x, 11, share(rows), "middle", "tiny"))
    for line, name in enumerate(columns):
        y = 17 + tall * line
        parts.append(svg.text(left - 6, y + 12, shortened(name, 23), "end"))
        for place, (_, missing) in enumerate(found):
            kind = "c1" if name in missing else "empty"
            parts.append(svg.rect(left + wide * place + 1, y + 1, wide - 2, tall - 2, kind))
    bottom = 17 + tall * len(columns)
    parts.append(
        svg.text(0, bottom + 15, "share of rows in which exactly these are missing", kind="axis")
    )
    return svg.picture(title, bottom + 20, parts)
