"""Rows beside bad ones are answered, however the bad ones lie."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from noria.core.model.batch_counts import added, counts_of
from noria.core.model.row_outcomes import outcomes
from noria.errors import RequestError

Row = dict[str, Any]


def doubled(rows: Sequence[Any]) -> list[Row]:
    """Refuses a request for its first bad row, as the endpoint does."""
    for number, row in enumerate(rows):
        if row["x"] < 0:
            raise RequestError(f"row {number}, field 'x': {row['x']} is too small")
    return [{"prediction": 2 * row["x"]} for row in rows]


@given(st.lists(st.integers(-3, 30)))
def test_each_row_gets_what_it_would_get_alone(values: list[int]) -> None:
    found = outcomes([{"x": value} for value in values], doubled) if values else []
    assert found == [
        {"prediction": 2 * value} if value >= 0 else {"error": f"field 'x': {value} is too small"}
        for value in values
    ]
    refused = Counter(value for value in values if value < 0)
    counts = counts_of(found)
    assert (counts["answered"], counts["refused"]) == (len(values) - refused.total(),
                                                       refused.total())  # fmt: skip
    assert [one["rows"] for one in counts["reasons"]] == sorted(refused.values(), reverse=True)


@given(st.lists(st.lists(st.integers(-3, 30)), max_size=5))
def test_counts_of_parts_add_up(parts: list[list[int]]) -> None:
    made = [outcomes([{"x": value} for value in part], doubled) for part in parts if part]
    whole = [one for part in made for one in part]
    assert added(counts_of(part) for part in made) == counts_of(whole)


def counting(sizes: list[int], most: int) -> Callable[[Sequence[Any]], list[Row]]:
    """Notes how many rows each request has, and refuses more than it takes."""

    def answer(rows: Sequence[Any]) -> list[Row]:
        sizes.append(len(rows))
        if len(rows) > most:
            raise RequestError(f"rows: {len(rows)}; send at most {most} at a time")
        return doubled(rows)

    return answer


def test_good_rows_are_answered_together() -> None:
    """GIVEN a bad row THEN the others are one request in the end: digits depend on its size."""
    sizes: list[int] = []
    outcomes([{"x": -1}, *[{"x": 1}] * 999], counting(sizes, most=1000))
    assert (sizes[0], sizes[-1]) == (1000, 999)
    assert len(sizes) < 25


def test_a_request_that_is_too_large_as_a_whole_is_parted() -> None:
    values = [1, -1, 2, 3, 4, 5, -2, 6]
    found = outcomes([{"x": value} for value in values], counting([], most=3))
    assert [one.get("prediction") for one in found] == [2, None, 4, 6, 8, 10, None, 12]
