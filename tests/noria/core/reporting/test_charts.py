"""Charts: well-formed pictures whatever the data are, with the marks where the numbers say."""

import re
from xml.etree import ElementTree

import pytest

from noria.common import formatting
from noria.core.reporting import charts, grid_charts, svg

PAGE = '<page xmlns="http://www.w3.org/2000/svg">{}</page>'


def drawn(content: str) -> ElementTree.Element:
    """Parse a picture with its legend; no coordinate may be NaN or infinite."""
    assert not re.search(r'="[^"]*\b(nan|inf)\b', content)
    return ElementTree.fromstring(PAGE.format(content))  # noqa: S314


def texts(content: str) -> list[str]:
    return [item.text or "" for item in drawn(content).iter() if item.tag.endswith("text")]


def widths(content: str, kind: str) -> list[float]:
    found = (item for item in drawn(content).iter() if item.get("class") == kind)
    return [float(item.get("width", "nan")) for item in found]


@pytest.mark.parametrize("content", ["", "wide", "Mm Ww il", "漢字 and letters ", "x" * 1_000_000])
@pytest.mark.parametrize("room", [0.0, 20.0, 60.0])
def test_a_text_is_cut_where_its_room_ends(content: str, room: float) -> None:
    """As much is kept as fits with the ellipsis, of a cell of a megabyte too."""
    cut = svg.fitted(content, room)
    if cut == content:
        assert svg.breadth(content) <= room + svg.ROUNDING
        return
    kept = cut.removesuffix("…")
    assert content.startswith(kept)
    assert not kept or svg.breadth(cut) <= room + svg.ROUNDING
    longer = content[: len(kept) + 1]
    assert longer.endswith(" ") or svg.breadth(longer + "…") > room


def test_every_chart_survives_equal_values() -> None:
    for picture in (
        charts.histogram("t", [1, 1], {"a": [1.0]}, "x"),
        charts.histogram("t", [0, 1], {"a": [0.0], "b": [0.0]}, "x"),
        charts.lines("t", {"a": [(0, 1.0), (0, 1.0)]}, "y"),
        charts.lines("t", {"a": [(0, 0.0), (1, 0.0)]}, "y"),
        charts.bars("t", [("a", 0.0), ("b", 0.0)]),
        charts.grouped_bars("t", ["a"], {"x": [0.0]}),
        grid_charts.season("t", ["a", "b"], {"y": [2.0, 2.0]}, [0, 0], "l", percent=False),
        grid_charts.heat_map("t", ["a"], ["b"], [[3.0]], percent=True),
        grid_charts.patterns("t", ["a"], [(1.0, ["a"])]),
    ):
        assert drawn(picture).find(".//{http://www.w3.org/2000/svg}svg") is not None


def test_charts_of_nothing_are_nothing() -> None:
    assert charts.bars("t", []) == ""
    assert charts.lines("t", {}, "y") == ""
    assert charts.lines("t", {"a": [(0, None), (1, 2.0)]}, "y") == ""
    assert grid_charts.season("t", ["a", "b"], {"y": [None, None]}, [0, 0], "l", percent=True) == ""
    assert grid_charts.heat_map("t", ["a"], ["b"], [[None]], percent=True) == ""
    assert grid_charts.patterns("t", [], []) == ""


def test_missing_values_leave_gaps() -> None:
    lines = charts.lines("t", {"a": [(0, 1.0), (1, 2.0), (2, None), (3, -1.0)]}, "y")
    assert lines.count("<polyline") == 2
    season = grid_charts.season(
        "t", list("abc"), {"y": [1.0, None, 3.0]}, [5, 0, 5], "l", percent=False
    )
    assert season.count("<polyline") == 2
    cells = grid_charts.heat_map("t", ["a"], ["b", "c"], [[0.1, None]], percent=True)
    assert cells.count("<rect") == 1 + 7, "one cell and the key"


def test_bars_are_as_long_as_their_values_and_the_limit_stands_among_them() -> None:
    picture = charts.bars("t", [("a", 1.0), ("b", 0.5)], limit=(0.75, "limit"))
    long, short = widths(picture, "c0")
    assert short == pytest.approx(long / 2, abs=0.1)
    limit = next(item for item in drawn(picture).iter() if item.get("class") == "limit")
    assert float(limit.get("x1", "nan")) == pytest.approx(0.75 * long, abs=0.1)
    assert "limit" in texts(picture)


def test_no_text_of_a_bar_leaves_the_picture() -> None:
    note = "a note that is quite long"
    picture = charts.bars("t", [("x" * 200, 1.0)], notes=[note])
    label, written = texts(picture)
    assert len(label) <= 52
    assert written == note
    place = next(float(item.get("x", "nan")) for item in drawn(picture).iter() if item.text == note)
    assert place + 6 * len(note) < 330


#: Advance widths in ems of DejaVu Sans Bold, which pages fall back to where nothing else is there.
DEJAVU_BOLD = {
    **dict.fromkeys("0123456789$", 0.696), "%": 1.002, "<": 0.838, ">": 0.838, ".": 0.380,
    ",": 0.380, ":": 0.400, "-": 0.415, " ": 0.348, "W": 1.103, "m": 1.042, "i": 0.343, "M": 0.995,
    "k": 0.665, "e": 0.678, "G": 0.821, "N": 0.837, "…": 1.0,
}  # fmt: skip


def outside(picture: str) -> list[str]:
    """The texts that reach beyond the picture's edges where the page's font is the widest one."""
    found = []
    for item in drawn(picture).iter():
        if not item.tag.endswith("text"):
            continue
        content, place = item.text or "", float(item.get("x", "nan"))
        size = 9.5 if item.get("class") == "tiny" else 11
        wide = size * sum(DEJAVU_BOLD[letter] for letter in content)
        wide *= 1 if item.get("class") == "value" else 0.93  # the regular face
        anchor = item.get("text-anchor")
        left = place - {"start": 0, "middle": wide / 2, "end": wide}[str(anchor)]
        if left < -1 or left + wide > 331:
            found.append(f"{content}: {left:.0f} to {left + wide:.0f}")
    return found


@pytest.mark.parametrize("shares", [(0.53, 0.0005), (1.0, 0.9995), (0.051, 0.009)])
def test_shares_beside_full_bars_are_inside(shares: tuple[float, float]) -> None:
    notes = [formatting.share(one) for one in shares]
    items = list(zip("WW", shares, strict=True))
    counts = [f"{note} ({count})" for note, count in zip(notes, ("4,674", "1,628"), strict=True)]
    assert set(counts) <= set(texts(charts.bars("t", items, notes=counts)))
    assert outside(charts.bars("t", items, notes=notes)) == []
    grouped = charts.grouped_bars("W", "WW", {"W": shares, "i": shares[::-1]})
    assert outside(grouped.replace("share of the group", "W")) == []
    assert set(notes) <= set(texts(grouped))
    assert set(notes) <= set(texts(charts.bars("t", items, notes=notes)))


@pytest.mark.parametrize("long", ["W" * 200, "m i " * 40, "i" * 300])
def test_long_names_end_inside_every_chart(long: str) -> None:
    for picture in (
        charts.bars(long, [(long, 1.0), (long, 0.5)], long, notes=[long], limit=(0.9, long)),
        charts.bars("t", [("W", 1.0)], limit=(0.1, long)),
        charts.grouped_bars(long, [long], {long: [1.0], "i": [0.5]}),
        charts.histogram(long, [0, 1], {long: [1.0]}, long),
        charts.lines(long, {long: [(0, 1.0), (86400, 2.0)]}, long),
        grid_charts.season(long, ["W", "i"], {long: [1.0, 2.0]}, [1, 1], long, percent=True),
        grid_charts.patterns("t", [long], [(0.0005, [long])] * 6),
    ):
        cut = picture.replace("share of", "m").replace("rows", "m").replace("the group", "m")
        assert outside(re.sub(r">[^<]*(which|exactly)[^<]*<", "><", cut)) == []
        assert [text for text in texts(picture) if text.endswith("…")]


@pytest.mark.parametrize("most", [9_000.0, 250_000.0, 12_345_678.0, 8.1e9, -3.5e7, 2.5e-9, 7e13])
def test_values_beside_an_axis_are_inside_and_whole(most: float) -> None:
    picture = charts.lines("t", {"W": [(0, 0.0), (86400, most)]}, "W")
    assert outside(picture) == []
    assert not [text for text in texts(picture) if "…" in text]


def test_whole_numbers_are_labelled_as_such() -> None:
    assert texts(charts.histogram("t", [0.5, 1.5, 2.5, 3.5], {"a": [0.2, 0.3, 0.5]}, "x"))[-4:] == [
        "1", "2", "3", "x",
    ]  # fmt: skip


def test_strange_names_are_escaped() -> None:
    evil = '<b>&"'
    for picture in (
        charts.bars(evil, [(evil, 1.0)], evil, notes=[evil], limit=(1.0, evil)),
        charts.grouped_bars(evil, [evil], {evil: [1.0], evil + "2": [1.0]}),
        charts.histogram(evil, [0, 1], {evil: [1.0], evil + "2": [1.0]}, evil),
        charts.lines(evil, {evil: [(0, 1.0), (1, 1.0)]}, evil),
        grid_charts.season(evil, [evil, "b"], {evil: [1.0, 2.0]}, [1, 1], evil, percent=True),
        grid_charts.heat_map(evil, [evil], [evil], [[1.0]], percent=True),
        grid_charts.patterns(evil, [evil], [(0.5, [evil])]),
    ):
        drawn(picture)
        assert "<b>" not in picture


@pytest.mark.parametrize(
    ("value", "text"),
    [(12345.6, "12,346"), (0.70512, "0.705"), (0.0, "0"), (1e-9, "1.0e-09"), (None, "–")],  # noqa: RUF001
)
def test_numbers_are_written_for_people(value: float | None, text: str) -> None:
    assert formatting.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0%"),
        (1e-5, "<0.1%"),
        (0.034, "3.4%"),
        (0.25, "25%"),
        (0.9999, ">99.9%"),
        (1, "100%"),
    ],
)
def test_shares_are_written_for_people(value: float, text: str) -> None:
    assert formatting.share(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (30, "30 seconds"),
        (60, "1 minute"),
        (5400, "1.5 hours"),
        (86400, "1 day"),
        (1e7, "116 days"),
    ],
)
def test_durations_are_written_for_people(seconds: float, text: str) -> None:
    assert formatting.duration(seconds) == text


def test_dates_beyond_the_calendar_are_written_too() -> None:
    assert formatting.date(1356998400) == "2013-01-01"
    assert formatting.moment(1356998400 + 3660) == "2013-01-01 01:01"
    assert formatting.date(1e13).startswith("31885")
    assert formatting.moment(-1e13) == "before 0001"


def test_values_beside_an_axis_tell_near_lines_apart() -> None:
    points = {"score": [(0.0, 2.2051), (1.0, 2.2149)]}
    page = str(charts.lines("near", points, "MAE", from_zero=False, along="rows"))
    shown = re.findall(r">(2\.2\d+)<", page)
    assert len(shown) >= 3
    assert len({*shown}) == len(shown)
