"""Missing values and spellings: a request is treated exactly as a training row was."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.core.cleansing.cleanse import cleanse
from noria.core.cleansing.dataset_builder import to_dataset
from noria.core.data.dataset import Dataset
from noria.core.features.plan import make_plan
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.monitoring.prediction_log import columns_of
from noria.core.statistics.drift import build_reference, measure_drift
from noria.core.training.fitted_model import Member
from noria.core.training.train import train
from noria.errors import DataError
from tests.support.data_frames import numbers, problem


def frame() -> pd.DataFrame:
    table = numbers(400)
    table["city"] = np.where(table["x"] > 0, "Boston", "Rome")
    table.loc[table.index % 7 == 0, "city"] = "BOSTON"
    table.loc[table.index % 5 == 0, "noise"] = None
    table.loc[table.index % 11 == 0, "city"] = None
    return table


def made(columns: dict[str, Any]) -> tuple[Dataset, Any]:
    contract = problem(quality={"minimum_rows": 10, "columns": columns})
    cleansing = cleanse(frame(), contract)
    assert cleansing.verdict.decision == "usable", cleansing.verdict.reasons
    dataset = to_dataset(cleansing.accepted, contract, cleansing.columns, cleansing.spellings)
    return Dataset.from_bytes(dataset.to_bytes()), contract


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("median", np.median), ("mean", np.mean), ({"value": -1}, lambda _: -1.0)],
)
def test_statistics_come_from_training_rows_alone(rule: Any, expected: Any) -> None:
    dataset, _ = made({"noise": {"missing": rule}})
    kept, _ = made({})
    known = kept.training.data["noise"]
    wanted = np.float32(expected(known[~np.isnan(known)].astype(np.float64)))
    assert not np.isnan(dataset.data["noise"]).any()
    assert dataset.data["noise"][np.isnan(kept.data["noise"])] == pytest.approx(wanted)
    assert next(c.fill for c in dataset.columns if c.name == "noise") == pytest.approx(wanted)


def test_a_request_is_treated_as_a_training_row() -> None:
    dataset, contract = made(
        {"noise": {"missing": "median"}, "city": {"missing": {"value": "nowhere"}}}
    )
    trained = train(
        dataset, [Member(make_plan(dataset, contract, 0), "logistic_regression")], contract, 0
    )
    model = OnnxModel(trained.onnx, trained.signature)
    field = {item.name: item for item in trained.signature.columns}
    fill = field["noise"].fill
    plain = {"x": 0.3, "noise": fill, "city": "Boston"}
    same = [{**plain, "noise": None}, {**plain, "city": " bOSTON"}, {"x": 0.3, "city": "BOSTON"}]
    answers = model.predict([plain, *same])
    assert all(answer == answers[0] for answer in answers)
    unknown, missing = model.predict([{**plain, "city": "nowhere"}, {**plain, "city": None}])
    assert unknown == missing
    assert unknown != answers[0]
    # The holdout's rows, already treated, score the same a second time.
    assert model.score(dataset.holdout_rows.data) == pytest.approx(trained.holdout_scores, abs=1e-5)


def test_live_inputs_that_are_treated_alike_are_no_drift() -> None:
    dataset, contract = made({"noise": {"missing": "median"}})
    trained = train(
        dataset, [Member(make_plan(dataset, contract, 0), "logistic_regression")], contract, 0
    )
    reference = build_reference(dataset, trained.holdout_scores, trained.importances)
    raw = frame()
    inputs = [
        {"x": row.x, "noise": None if np.isnan(row.noise) else row.noise,
         "city": row.city.lower() if isinstance(row.city, str) else None}
        for row in raw.itertuples()
    ]  # fmt: skip
    columns = columns_of([{"inputs": one} for one in inputs], reference, trained.signature.columns)
    assert set(columns["city"]) == {"Boston", "Rome", ""}
    model = OnnxModel(trained.onnx, trained.signature)
    scores = np.array([answer["probability"] for answer in model.predict(inputs)])
    report = measure_drift(reference, columns, scores)
    assert {column.name: column.psi < 0.1 for column in report.columns} == {
        "x": True, "noise": True, "city": True,
    }  # fmt: skip


def test_a_rule_that_does_not_suit_its_column_is_told() -> None:
    with pytest.raises(DataError, match=r"quality.columns.city.missing is median, but .* category"):
        made({"city": {"missing": "median"}})
    with pytest.raises(DataError, match="fills a number with 'none': give a number"):
        made({"noise": {"missing": {"value": "none"}}})
