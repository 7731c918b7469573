"""One spelling per category, the same in training and in a request."""

from hypothesis import given
from hypothesis import strategies as st

from noria.common.categories import spellings_of, tidy
from tests.support.examples import examples


def test_texts_are_tidied() -> None:
    assert tidy("  New \t York\u00a0City ") == "New York City"
    assert tidy("cafe\u0301") == "café"
    assert tidy("\ufeffa\u200bb") == "ab"


def test_the_most_frequent_spelling_stays() -> None:
    spelled = spellings_of({"ewr": 3, "EWR": 10, "Jfk": 1}, aliases={})
    assert [spelled(text) for text in ("ewr", "EWR", "eWr", " jfk", "LGA")] == [
        "EWR", "EWR", "EWR", "Jfk", "LGA",
    ]  # fmt: skip


def test_the_contract_comes_before_frequency() -> None:
    spelled = spellings_of(
        {"new york": 9, "NY": 5, "boston": 7},
        aliases={"New York": ["ny", "N.Y."]},
        preferred=["Boston"],
    )
    assert [spelled(text) for text in ("new york", "NY", "n.y.", "boston")] == [
        "New York", "New York", "New York", "Boston",
    ]  # fmt: skip


def test_case_can_be_kept() -> None:
    spelled = spellings_of({"a": 1, "A": 5}, aliases={"x": ["y"]}, merge_case=False)
    assert [spelled(text) for text in ("a", "A", "y", "Y")] == ["a", "A", "x", "Y"]


@given(st.dictionaries(st.text(max_size=6).map(tidy), st.integers(1, 9), max_size=8))
@examples(10_000)
def test_spelling_again_changes_nothing(counts: dict[str, int]) -> None:
    spelled = spellings_of(counts, aliases={})
    for text in counts:
        assert spelled(spelled(text)) == spelled(text)
        assert spelled(text) in counts
