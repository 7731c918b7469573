"""Outliers are flagged where they are, and nothing is dropped."""

import numpy as np
import pandas as pd
import pytest

from noria.contracts import Quality
from noria.core.cleansing.cleanse import cleanse
from noria.core.cleansing.outliers import fences, outliers
from tests.support.data_frames import bundled, numbers, problem


def test_planted_outliers_are_found_and_kept() -> None:
    frame = numbers(500)
    frame.loc[[7, 11], "x"] = [60.0, -60.0]
    cleansing = cleanse(frame, problem())
    flagged = cleansing.flagged.set_index("row")["value"]
    assert {7: 60.0, 11: -60.0}.items() <= flagged.to_dict().items()
    assert len(cleansing.accepted) == 500
    assert cleansing.accepted.loc[7, "x"] == 60
    [found] = [i for i in cleansing.verdict.evidence["outliers"] if i["column"] == "x"]
    assert -10 < found["low"] < found["high"] < 10
    assert any("Outliers flagged, not dropped: x (" in r for r in cleansing.verdict.reasons)


def test_the_contract_decides_how_far_is_far() -> None:
    frame = bundled("breast_cancer")
    counts = [
        len(cleanse(frame, problem(quality={"minimum_rows": 10, "outliers": limit})).flagged)
        for limit in (3.5, 10, None)
    ]
    assert counts[0] > counts[1] > counts[2] == 0


def test_levels_and_constants_have_no_outliers() -> None:
    frame = pd.DataFrame({"rare": [0.0] * 99 + [1.0], "same": 3.0, "none": np.nan})
    table, found = outliers(frame, dict.fromkeys(frame, "number"), Quality())
    assert table.empty
    assert list(table.columns) == ["row", "column", "value"]
    assert found == []
    two_levels = outliers(frame, dict.fromkeys(frame, "number"), Quality(outlier_values=2))
    assert two_levels[0].to_dict("list") == {"row": [99], "column": ["rare"], "value": [1.0]}


def test_the_score_is_that_of_iglewicz_and_hoaglin() -> None:
    values = np.array([2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3])  # their example's shape
    limits = fences(values, 3.5)
    assert limits is not None
    assert limits[1] == pytest.approx(2.45 + 3.5 * 0.15 / 0.6745)
    mostly_equal = np.array([1.0] * 8 + [2.0, 50.0])
    assert fences(mostly_equal, 3.5) is not None
    assert fences(np.ones(5), 3.5) is None
