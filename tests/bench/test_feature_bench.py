"""The feature store's bench compares like with like: both sides answer every request the same."""

from pathlib import Path

import numpy as np
import pytest

from tests.bench import feature_store
from tests.bench.measuring import measure


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small history, retrieved by Noria and by pandas."""
    home = tmp_path_factory.mktemp("features")
    measure(["-m", feature_store.NORIA, str(home), "make", "20000", "3000", "400"])
    measure(["-m", feature_store.NORIA, str(home), "retrieve", "2"])
    measure([feature_store.PANDAS, str(home)])
    return home


def test_noria_and_pandas_answer_alike(folder: Path) -> None:
    assert "answers 0 of 3,000 requests otherwise" in feature_store._difference(folder, "pandas")


def test_a_difference_is_told(folder: Path) -> None:
    """GIVEN one value changed THEN the bench says so: the figures would say nothing."""
    answers = np.load(folder / "pandas.npy")
    answers[7, 2] = 0.5
    np.save(folder / "other.npy", answers)
    assert "other answers 1 of 3,000" in feature_store._difference(folder, "other")


def test_requests_meet_rows_that_were_corrected(folder: Path) -> None:
    """GIVEN the files THEN some answers depend on how rows of one key and time are told apart."""
    import pandas as pd

    rows = pd.read_parquet(folder / "features.parquet")
    repeated = rows[rows.duplicated(["entity", "event_time"], keep="last")]
    answers = np.load(folder / "noria.npy")
    assert len(repeated) >= 1000
    assert not np.isin(answers[:, 0], repeated["f0"]).any()
    assert np.isin(answers[:, 0], rows["f0"].tail(1000)).any()
