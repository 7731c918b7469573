"""The store's names of columns: one for each, made once, within what the catalogue takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.feature_store.feature_set import LONGEST_NAME, Feature, FeatureSet, StoredColumn
from noria.core.feature_store.store_names import is_keyed_by, names_in, store_names


def set_of(names: dict[str, str]) -> FeatureSet:
    features = [Feature(name=n, kind="number", source_column=c) for c, n in names.items()]
    return FeatureSet(features=tuple(features))


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("price", "price"), ("Price", "price"), ("Order Date", "order_date"), ("Churn?", "churn"),
        ("2nd item", "2nd_item"), ("a.b,c", "a_b_c"), ("Größe [cm]", "größe_cm"),
        ("Вопрос", "вопрос"), ("a\nb", "a_b"), ("e\u0301", "é"), ("😀", "column"),
        ("run", "run_value"), ("event_time", "event_time_value"), ("__x", "__x"),
    ],
)  # fmt: skip
def test_a_name_is_plain(column: str, name: str) -> None:
    assert store_names([column]) == {column: name}


def test_what_fits_as_it_stands_keeps_its_name() -> None:
    names = store_names(["Temp", "temp", "run", "run_value"])
    assert (names["temp"], names["run_value"]) == ("temp", "run_value")
    assert names["Temp"].startswith("temp_")
    assert names["run"].startswith("feature_")


def test_names_stay_when_columns_join() -> None:
    first = store_names(["Temp", "run"])
    assert first == {"Temp": "temp", "run": "run_value"}
    later = store_names(["temp", "Temp", "run_value", "run"], set_of(first))
    assert {name: later[name] for name in first} == first
    assert len(set(later.values())) == 4


def test_a_set_that_tells_no_columns_keeps_its_names() -> None:
    """GIVEN a set from before the columns were noted THEN its names go on."""
    features = tuple(Feature(name=n, kind="number") for n in ("order date", "run_value", "temp"))
    known = FeatureSet(features=features)
    names = store_names(["Order Date", "run", "Temp"], known)
    assert names == {"Order Date": "order date", "run": "run_value", "Temp": "temp"}


def test_a_window_is_called_as_the_contract_says() -> None:
    assert store_names(["Mean"], None, ["mean"])["Mean"].startswith("mean_")


def test_a_set_is_keyed_by_columns_of_the_data() -> None:
    key = (StoredColumn(name="run_value", kind="text", source_column="run"),)
    made = FeatureSet(entity_key=key, features=())
    assert is_keyed_by(made, ["run"])
    assert not is_keyed_by(made, ["run_value"])


columns = st.lists(
    st.text(min_size=1, max_size=20)
    | st.text("Aaä _-.", min_size=1, max_size=3)
    | st.text("问ж", min_size=80, max_size=200)
    | st.sampled_from(["run", "run_value", "noria_until", "feature", "column"]),
    min_size=1,
    max_size=12,
    unique=True,
)


@given(columns, columns)
def test_any_columns_have_names_that_fit_differ_and_stay(
    given_first: list[str], joining: list[str]
) -> None:
    first = store_names(given_first)
    made = set_of(first)  # refuses what is the store's own, too long, or given twice
    assert names_in(made) == first
    both = store_names(list(dict.fromkeys([*joining, *given_first])), made)
    assert {name: both[name] for name in given_first} == first
    assert len(set(both.values())) == len(both)
    assert all(len(column.name.encode()) <= LONGEST_NAME for column in set_of(both).columns)
