"""The endpoint's half: strict fields in, answers in the data's own types out."""

import json
import math
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.common.timestamps import RefusedError, as_microseconds
from noria.core.column_types.event_time import column_times
from noria.core.data.dataset import MISSING_TIMESTAMP, Column, Dataset
from noria.core.features.plan import make_plan
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.model.row_reader import to_columns
from noria.core.model.signature import Field, Signature
from noria.core.model.written_types import label_type_of, parse_label
from noria.core.training.fitted_model import Member
from noria.core.training.signatures import declared_of
from noria.core.training.train import train
from noria.errors import RequestError
from tests.support.data_frames import problem as contract_of
from tests.support.examples import examples
from tests.support.model_data import mixed, problem

TASKS = {"binary": (2, "roc_auc"), "multiclass": (3, "accuracy"), "regression": (0, "rmse")}


def model_of(task: str, classes: tuple[str, ...] = ()) -> OnnxModel:
    count, metric = TASKS[task]
    dataset = mixed(300, count)
    named = classes or dataset.classes
    dataset = Dataset(dataset.columns, dataset.data, dataset.target, named, dataset.holdout)
    asked = problem(task, metric)
    name = "logistic_regression" if count else "ridge"
    trained = train(dataset, [Member(make_plan(dataset, asked, 3), name)], asked, 0)
    signature = Signature.model_validate_json(trained.signature.model_dump_json())
    return OnnxModel(trained.onnx, signature)


@pytest.fixture(scope="module")
def model() -> OnnxModel:
    return model_of("binary", ("False", "True"))


def test_labels_come_back_in_their_type(model: OnnxModel) -> None:
    (answer,) = model.predict([model.signature.example])
    assert isinstance(answer["prediction"], bool)
    assert answer["prediction"] == (answer["probability"] >= 0.5)
    (answer,) = model_of("multiclass").predict([{}])
    assert isinstance(answer["prediction"], int)
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert set(answer["probabilities"]) == {"0", "1", "2"}
    (answer,) = model_of("regression").predict([{"n0": 1}])
    assert isinstance(answer["prediction"], float)


@pytest.mark.parametrize(
    ("classes", "kind", "values"),
    [
        (("False", "True"), "bool", [False, True]),
        (("false", "true"), "bool", [False, True]),
        (("-1", "0", "12"), "int", [-1, 0, 12]),
        (("01", "02"), "str", ["01", "02"]),
        (("no", "yes"), "str", ["no", "yes"]),
        (("²", "1"), "str", ["²", "1"]),
    ],
)
def test_label_types(classes: tuple[str, ...], kind: str, values: list[Any]) -> None:
    assert label_type_of(classes) == kind
    assert [parse_label(text, label_type_of(classes)) for text in classes] == values


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"n00": 1}, "did you mean 'n0'"),
        ({"completely": 1}, "it knows n0"),
        ({"n0": "3"}, "row 1, field 'n0': '3' is not a number"),
        ({"n0": True}, "not a number"),
        ({"n0": math.nan}, "nan is not a finite"),
        ({"n0": math.inf}, "inf is not a finite"),
        ({"n0": 10**400}, "finite 32-bit"),
        ({"n0": [1]}, "not a number"),
        ({"few": 3}, "field 'few': 3 is not a text"),
        ({"few": "\ud800"}, "not valid Unicode"),
        ({"at": "yesterday"}, "ISO 8601"),
        ({"at": 1e300}, "years 1 to 9999"),
        ({"at": math.nan}, "years 1 to 9999"),
        ({"at": True}, "not a time"),
        ("text", "send an object"),
    ],
)
def test_what_does_not_fit_is_named(model: OnnxModel, row: Any, words: str) -> None:
    with pytest.raises(RequestError) as caught:
        model.predict([{}, row])
    assert words in str(caught.value)
    assert "row 1" in str(caught.value)


def test_no_rows_are_refused(model: OnnxModel) -> None:
    with pytest.raises(RequestError, match="at least one"):
        model.predict([])


def test_times_in_every_spelling(model: OnnxModel) -> None:
    spellings = [
        "2013-01-31T17:00:00Z", "2013-01-31T17:00:00", "2013-01-31 18:00:00+01:00",
        1359651600, 1359651600.9, None, "2013-01-31",
    ]  # fmt: skip
    found = to_columns([{"at": text} for text in spellings], model.signature)["at"].tolist()
    assert found == [1359651600] * 5 + [MISSING_TIMESTAMP, 1359590400]


@pytest.mark.parametrize(
    "local", ["2013-07-01T17:00:00", "2013-01-01", "2013-11-03T01:30:00", "2013-03-10T03:00"]
)
def test_a_local_time_is_read_as_training_read_it(local: str) -> None:
    """GIVEN a column of New York's times without a zone THEN a request's are the same instants."""
    zone = "America/New_York"
    rows = pd.DataFrame({"at": [local, "2013-05-05T12:00:00"], "y": [1.0, 2.0]})
    contract = contract_of("regression", quality={"columns": {"at": {"timezone": zone}}})
    trained = column_times(rows, "at", contract)
    field = Field(name="at", kind="timestamp", **declared_of("at", contract))
    signature = Signature(problem="p", task="regression", target="y", columns=(field,),
                          metric="rmse", recipe="basic", candidate="ridge")  # fmt: skip
    asked = to_columns([{"at": local}, {"at": trained[0].isoformat()}], signature)["at"]
    assert asked.tolist() == [int(trained[0].timestamp())] * 2
    with pytest.raises(RequestError, match=r"is no time in America/New_York, whose clocks skip"):
        to_columns([{"at": "2013-03-10T02:30:00"}], signature)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("0001-01-01T00:00:00", "Europe/Berlin"), ("9999-12-31T23:59:59-05:00", None),
        ("0001-01-01T00:00:00+14:00", "UTC"),
    ],
)  # fmt: skip
def test_times_at_the_edge_of_the_calendar_are_refused(text: str, zone: str | None) -> None:
    with pytest.raises(RefusedError, match="is outside the years 1 to 9999"):
        as_microseconds(text, zone)


def test_left_out_null_and_missing_are_the_same(model: OnnxModel) -> None:
    nothing = dict.fromkeys(model.signature.names)
    answers = model.predict([{}, nothing])
    assert answers[0] == answers[1]


def test_booleans_fit_a_category_of_booleans() -> None:
    dataset = Dataset(
        (Column("flag", "category"), Column("n", "number")),
        {"flag": np.array(["true", "false"] * 50), "n": np.arange(100.0)},
        np.arange(100) % 2,
        ("no", "yes"),
        np.arange(100) >= 80,
    )
    plan = make_plan(dataset, problem(), 0)
    trained = train(dataset, [Member(plan, "logistic_regression")], problem(), 0)
    found = to_columns([{"flag": True}, {"flag": "false"}], trained.signature)["flag"]
    assert found.tolist() == ["true", "false"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@examples(150, quick=60)
@given(rows=st.lists(st.dictionaries(st.sampled_from(["n0", "few", "at", "no"]), json_values)))
def test_any_json_is_answered_or_refused(model: OnnxModel, rows: list[dict[str, Any]]) -> None:
    try:
        answers = model.predict(rows)
    except RequestError:
        return
    assert len(answers) == len(rows)
    json.dumps(answers, allow_nan=False)


def test_one_row_is_quick(model: OnnxModel) -> None:
    row = model.signature.example
    for _ in range(20):
        model.predict([row])
    start = time.process_time()
    for _ in range(200):
        model.predict([row])
    assert (time.process_time() - start) / 200 < 0.005


def test_a_column_that_is_gone_or_another_kind_is_named(model: OnnxModel) -> None:
    with pytest.raises(RequestError, match="'n0' is missing"):
        model.score({})
    rows = mixed(5, 2).data
    with pytest.raises(RequestError, match="'n0' holds <U1 values"):
        model.score(rows | {"n0": np.array(["a"] * 5)})


def test_scoring_needs_the_serve_layer_only() -> None:
    code = (
        "import sys, noria.core.model.onnx_scoring\n"
        "heavy = {'pandas', 'sklearn', 'scipy', 'onnx', 'skl2onnx', 'pyarrow', 'boto3'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
