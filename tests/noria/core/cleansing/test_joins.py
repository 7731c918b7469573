"""Joining sources: keys, as-of times, names, and rows that never multiply."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.contracts import Problem
from noria.core.cleansing.cleanse import cleanse
from noria.core.cleansing.joins import join_sources
from noria.errors import DataError
from tests.support.data_frames import FLIGHTS, flights, problem
from tests.support.examples import examples


def contract(join: dict[str, object], event_time: str | None = None) -> Problem:
    document = {
        "name": "joined",
        "statement": "Two sources that belong together.",
        "task": "regression",
        "target": "y",
        "event_time": event_time,
        "sources": [
            {"name": "rows", "kind": "s3", "primary": True},
            {"name": "other", "kind": "s3", "join": join},
        ],
        "objective": {"metric": "r2", "threshold": 0},
    }
    return Problem.parse(document)


def rows(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_a_key_join_keeps_the_rows_and_renames_what_collides() -> None:
    primary = rows(k=["a", "b", None, "z"], year=[1, 2, 3, 4])
    other = rows(k=["b", "a", None], year=[20, 10, 30], seats=[2, 1, 3])
    joined = join_sources({"rows": primary, "other": other}, contract({"on": ["k"]}))
    assert list(joined.columns) == ["k", "year", "other_year", "seats"]
    assert joined["other_year"].tolist()[:2] == [10, 20]
    assert joined["seats"].isna().tolist() == [False, False, True, True]
    assert joined.attrs["joins"]["other"]["matched"] == 0.5


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([1, 2], ["1", "2"]),
        (["1", "2"], [1.0, 2.0]),
        (["1", "x"], [1, 2]),
        ([True, False], ["true", "b"]),
    ],
)
def test_key_types_are_reconciled(left: list[object], right: list[object]) -> None:
    joined = join_sources(
        {"rows": rows(k=left), "other": rows(k=right, v=[10, 20])}, contract({"on": ["k"]})
    )
    assert joined["v"].iloc[0] == 10


KEYS: dict[str, list[object]] = {
    "whole": [1, 2, 3], "with gaps": [1.0, None, 3.0], "texts": ["1", "2", None],
    "short": list(pd.array([1, 2, 3], dtype="int32")), "nothing": [None, None, None],
    "large": [9007199254740993, 9007199254740992, 5],
    "large texts": ["9007199254740993", "9007199254740992", None],
    "times": list(pd.to_datetime(["2024-01-01", "2024-01-02", None])),
    "zoned": list(pd.to_datetime(["2024-01-01", "2024-01-02", None], utc=True)),
    "dates": ["2024-01-01", "2024-01-02", None], "truths": [True, None, False],
    "words": ["true", None, "false"],
}  # fmt: skip
ALIKE = [{"whole", "with gaps", "texts", "short"}, {"large", "large texts"},
         {"times", "zoned", "dates"}, {"truths", "words"}]  # fmt: skip


# Numbers are joined to times as epochs, where the large ones are one moment: refused elsewhere.
PAIRS = [(left, right) for left in KEYS for right in KEYS
         if right != "large" or left not in ("times", "zoned")]  # fmt: skip


@pytest.mark.parametrize("as_of", [False, True])
@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_keys_of_any_types_meet_exactly(left: str, right: str, as_of: bool) -> None:
    primary = rows(k=KEYS[left], at=["2024-01-01T10:00:00Z"] * 3)
    other = rows(k=KEYS[right], t=["2024-01-01T09:30:00Z"] * 3, v=[10, 20, 30])
    join: dict[str, object] = {"on": ["k"], "as_of": "t"} if as_of else {"on": ["k"]}
    joined = join_sources({"rows": primary, "other": other}, contract(join, "at"))
    found = [None if pd.isna(value) else value for value in joined["v"]]
    if left != right and not any({left, right} <= group for group in ALIKE):
        assert found == [None] * 3
        return
    both = [pd.notna(a) and pd.notna(b) for a, b in zip(KEYS[left], KEYS[right], strict=True)]
    assert found == [v if same else None for v, same in zip([10, 20, 30], both, strict=True)]


def test_as_of_matches_backward_within_the_tolerance() -> None:
    primary = rows(k=["a"] * 4, at=["2024-01-01T10:30:00Z", "2024-01-01T09:59:00Z",
                                    "2024-01-01T12:00:00Z", "nonsense"])  # fmt: skip
    other = rows(k=["a", "a"], t=["2024-01-01T10:00:00Z", "2024-01-01T11:00:00+01:00"], v=[1, 1])
    join = {"on": ["k"], "as_of": "t", "tolerance": "1h"}
    joined = join_sources({"rows": primary, "other": other}, contract(join, "at"))
    assert joined["v"].isna().tolist() == [False, True, True, True]
    assert joined.attrs["joins"]["other"]["duplicates_dropped"] == 1


def test_duplicate_keys_are_refused_and_exact_repeats_dropped() -> None:
    primary = rows(k=[1])
    same = rows(k=[1, 1], v=[5, 5])
    joined = join_sources({"rows": primary, "other": same}, contract({"on": ["k"]}))
    assert joined.attrs["joins"]["other"]["duplicates_dropped"] == 1
    with pytest.raises(DataError, match=r"'other' has 1 more rows .*\(k\) = 1"):
        join_sources({"rows": primary, "other": rows(k=[1, 1], v=[5, 6])}, contract({"on": ["k"]}))


def test_rows_that_no_row_can_find_are_counted_and_told() -> None:
    """Three rows without their key, one without its time, one exact repeat."""
    primary = rows(k=["a", "b"] * 30, at=["2024-01-01T10:30:00Z"] * 60, y=[0.5, 1.5] * 30)
    hour = "2024-01-01T10:00:00Z"
    other = rows(k=[None, "a", None, "b", "b", "a", None], v=[1, 2, 3, 4, 4, 5, 6],
                 t=[hour, hour, hour, hour, hour, None, hour])  # fmt: skip
    timed = contract({"on": ["k"], "as_of": "t"}, "at")
    joined = join_sources({"rows": primary, "other": other}, timed)
    assert joined["v"].tolist() == [2, 4] * 30
    assert joined.attrs["joins"]["other"] == {
        "matched": 1.0, "duplicates_dropped": 1, "without_key": 4, "key": ["k", "t"],
    }  # fmt: skip
    reasons = "\n".join(cleanse(joined, timed).verdict.reasons)
    assert "1 repeated row of 'other' dropped" in reasons
    assert "4 rows of 'other' without k or t dropped, as no row can find them" in reasons


def test_the_planes_without_a_number_are_counted() -> None:
    """Of the real planes all have one; of the flights some have none, and find no plane."""
    tables = flights(3000)
    planes = tables["planes"]
    missing = planes.head(7).assign(tailnum=None)
    tables["planes"] = pd.concat([planes, missing], ignore_index=True)
    joined = join_sources(tables, Problem.parse(FLIGHTS))
    assert joined.attrs["joins"]["planes"]["without_key"] == 7
    assert joined.attrs["joins"]["airlines"]["without_key"] == 0
    assert len(joined) == len(tables["flights"])


def test_missing_columns_and_sources_are_named() -> None:
    join = contract({"on": ["tailnum"]})
    with pytest.raises(
        DataError, match="'tailnum' is not in source 'other': did you mean 'TailNum'"
    ):
        join_sources({"rows": rows(tailnum=[1]), "other": rows(TailNum=[1])}, join)
    with pytest.raises(DataError, match="source 'other' was not collected"):
        join_sources({"rows": rows(tailnum=[1])}, join)
    timed = contract({"on": ["k"], "as_of": "t"}, "at")
    with pytest.raises(DataError, match="1 values of as_of column 't' are not timestamps"):
        join_sources(
            {"rows": rows(k=[1], at=["2024-01-01"]), "other": rows(k=[1], t=["soon"])}, timed
        )
    with pytest.raises(DataError, match="have no event time"):
        join_sources({"rows": rows(k=[1]), "other": rows(k=[1], t=["2024-01-01"])}, timed)


def test_the_flights_find_their_weather_and_planes() -> None:
    tables = flights(5000)
    joined = join_sources(tables, Problem.parse(FLIGHTS))
    assert len(joined) == len(tables["flights"])
    assert {"event_time", "planes_year", "weather_hour", "temp", "name"} <= set(joined.columns)
    assert joined.attrs["joins"]["weather"]["matched"] > 0.98
    on_time = joined["event_time"] - joined["time_hour"]
    assert on_time.dt.total_seconds().between(0, 3540).all()


keys = st.none() | st.integers(0, 4) | st.sampled_from(["0", "1", "a"])


@given(st.lists(keys, min_size=1, max_size=20), st.lists(keys, max_size=6, unique=True))
@examples(200)
def test_rows_never_multiply(left: list[object], right: list[object]) -> None:
    frames = {"rows": rows(k=left), "other": rows(k=right, v=list(range(len(right))))}
    try:
        joined = join_sources(frames, contract({"on": ["k"]}))
    except DataError as error:
        assert "other" in str(error)
        return
    assert joined["k"].astype(object).where(joined["k"].notna(), None).tolist() == left


def test_times_of_both_sides_are_read_as_declared() -> None:
    """New York's local times on the left, German dates of Berlin on the right."""
    left = pd.DataFrame({"y": [1, 2], "at": ["07/04/2024 08:30 AM", "07/04/2024 08:10 AM"]})
    right = pd.DataFrame({"hour": ["04.07.2024 14:00", "04.07.2024 13:00"], "temp": [30, 28]})
    left["k"] = right["k"] = "a"
    join = {"on": ["k"], "as_of": "hour", "tolerance": "1h", "format": "%d.%m.%Y %H:%M",
            "timezone": "Europe/Berlin"}  # fmt: skip
    rows = {"name": "rows", "kind": "s3", "primary": True}
    contract = problem(
        event_time="at",
        sources=[rows, {"name": "weather", "kind": "s3", "join": join}],
        quality={"columns": {"at": {"format": "%m/%d/%Y %I:%M %p",
                                    "timezone": "America/New_York"}}},
    )  # fmt: skip
    joined = join_sources({"rows": left, "weather": right}, contract)
    assert joined["temp"].tolist() == [30, 30]
    late = problem(event_time="at", sources=[rows, {"name": "weather", "kind": "s3", "join": {
        **join, "timezone": "UTC"}}], quality=contract.quality.model_dump())  # fmt: skip
    assert join_sources({"rows": left, "weather": right}, late)["temp"].isna().all()
