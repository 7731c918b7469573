"""History windows as a rung of the ladder: unseen below it, read from it on."""

import numpy as np
import pytest

from noria.core.data.dataset import Column, Dataset
from noria.core.evaluation.error_analysis import find_weaknesses
from noria.core.evaluation.error_findings import Findings
from noria.core.features.plan import Plan, ladder, make_plan
from noria.core.model.example_requests import sample_rows
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.training.fitted_model import Member
from noria.core.training.train import Trained, train
from noria.core.windows.lookup_spec import KeyColumn, LookupSpec
from noria.core.windows.tiles import WindowAggregation
from noria.errors import RequestError
from noria.serving.form_page import render
from noria.serving.log_records import model_description
from noria.serving.openapi import schemas
from tests.support.model_data import problem

WINDOW = {"column": "spent", "function": "sum", "over": "30d", "as": "spent_30d"}
PROBLEM = problem(
    entity_key=["customer"], event_time="at", features={"windows": [WINDOW]},
    objective={"threshold": 0.9},
)  # fmt: skip
HISTORY = LookupSpec(
    feature_set="features", keys=(KeyColumn(name="customer"),), event_time="at", delay=86_400,
    windows=(
        WindowAggregation(name="spent_30d", column="spent", function="sum", over=30 * 86_400),
    ),
    descriptions={"spent_30d": "sum of spent in the 30d before"},
    examples=({"customer": "c1"}, {"customer": "c2"}),
)  # fmt: skip


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """Customers who come back when they spent much before; what they see today says nothing."""
    generator = np.random.default_rng(5)
    rows = 2_000
    spent = generator.gamma(2, 50, rows)
    data = {"age": generator.normal(40, 9, rows), "basket": generator.gamma(2, 9, rows),
            "spent_30d": spent}  # fmt: skip
    back = np.where(generator.random(rows) < 0.05, generator.random(rows) < 0.5, spent > 80)
    columns = tuple(Column(name, "number") for name in data)
    return Dataset(columns, data, back, ("no", "yes"), np.arange(rows) >= 1_500)


def trained(dataset: Dataset, plan: Plan) -> Trained:
    return train(dataset, [Member(plan, "hist_gradient_boosting")], PROBLEM, seed=1)


def test_windows_are_a_rung_where_the_contract_has_some(dataset: Dataset) -> None:
    names = [rung.name for rung in ladder(dataset, PROBLEM)]
    assert names[:2] == ["basic", "windows"]
    assert "windows" not in [rung.name for rung in ladder(dataset, problem())]


def test_a_model_below_the_rung_neither_reads_nor_asks_for_history(dataset: Dataset) -> None:
    plan = make_plan(dataset, PROBLEM, 0)
    made = trained(dataset, plan)
    assert [name for name, _ in plan.columns] == ["age", "basket"]
    assert made.signature.names == ["age", "basket"]
    assert made.signature.unused == ("spent_30d",)


def test_errors_that_history_tells_lead_to_it(dataset: Dataset) -> None:
    """GIVEN a model whose errors depend on an entity's history THEN the next recipe is its."""
    before = make_plan(dataset, PROBLEM, 0)
    made = trained(dataset, before)
    findings = find_weaknesses(
        PROBLEM, dataset.holdout_rows, made.holdout_scores, made.importances, made.signature.unused
    )
    assert findings.weaknesses[0].aspect == "history"
    plan = make_plan(dataset, PROBLEM, 1, "roc_auc 0.51 misses 0.9", before, findings)
    assert plan.recipe == "windows"
    assert "because spent_30d still explains" in plan.why
    better = trained(dataset, plan)
    assert "spent_30d" in better.signature.names
    again = find_weaknesses(
        PROBLEM, dataset.holdout_rows, better.holdout_scores, better.importances,
        better.signature.unused,
    )  # fmt: skip
    assert "history" not in {one.aspect for one in again.weaknesses}


def test_history_that_is_not_used_yet_is_tried_before_the_rest(dataset: Dataset) -> None:
    before = make_plan(dataset, PROBLEM, 0)
    plan = make_plan(dataset, PROBLEM, 1, "", before, Findings(unused=("spent_30d",)))
    assert plan.recipe == "windows"
    assert "makes next to no use of 'spent_30d'" in plan.why


class TestSignature:
    """What callers are told of a model that looks history up."""

    @pytest.fixture
    def made(self, dataset: Dataset) -> Trained:
        plan = make_plan(dataset, PROBLEM, 1)
        return trained(dataset, plan)

    def test_callers_send_the_key_and_not_the_history(
        self, dataset: Dataset, made: Trained
    ) -> None:
        signature = made.signature.model_copy(update={"history": HISTORY})
        told = model_description(signature)
        assert [one["name"] for one in told["inputs"]] == ["age", "basket"]
        assert told["looked_up"] == {"spent_30d": "sum of spent in the 30d before"}
        assert told["looked_up_by"] == ["customer", "at"]
        rows = sample_rows(dataset.holdout_rows, signature)
        assert [row.get("customer") for row in rows] == [None, "c1", "c2"]
        assert all("spent_30d" not in row for row in rows)
        page = render("v1", signature, "iam")
        assert 'name="customer"' in page
        assert 'name="spent_30d"' not in page

    def test_the_schema_says_what_is_looked_up(self, made: Trained) -> None:
        signature = made.signature.model_copy(update={"history": HISTORY})
        row = schemas(signature)["Row"]["properties"]
        assert row["customer"]["description"].startswith("names the entity")
        assert row["spent_30d"]["description"].endswith("looked up where it is left out")
        assert "spent_30d" in schemas(made.signature)["Row"]["properties"]

    def test_a_row_may_carry_key_time_and_history(self, made: Trained) -> None:
        model = OnnxModel(made.onnx, made.signature.model_copy(update={"history": HISTORY}))
        row = {"age": 40, "basket": 5, "spent_30d": 200, "customer": "c1", "at": 0}
        [rich], [poor] = model.predict([row]), model.predict([row | {"spent_30d": 10}])
        assert rich["probability"] > 0.5 > poor["probability"]
        with pytest.raises(RequestError, match="no field 'custmer'; did you mean 'customer'"):
            model.predict([{"custmer": "c1"}])


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        (KeyColumn(name="k"), "  a  b ", "a b"), (KeyColumn(name="k"), 7, "7"),
        (KeyColumn(name="k"), 7.0, "7"), (KeyColumn(name="k"), 1.5, "1.5"),
        (KeyColumn(name="k"), True, "true"), (KeyColumn(name="k"), None, None),
        (KeyColumn(name="k"), "", None), (KeyColumn(name="k"), "007", "007"),
        (KeyColumn(name="k", number=True), "007", "7"),
        (KeyColumn(name="k", number=True), "1234567890123456781", "1234567890123456781"),
        (KeyColumn(name="k", number=True), 1e16, "1e+16"),
        (KeyColumn(name="k", number=True), True, "1"),
        (KeyColumn(name="k", number=True), "False", "0"),
        (KeyColumn(name="k", number=True), "7.0", "7"),
        (KeyColumn(name="k", number=True), "x7", "x7"),
        (KeyColumn(name="k", number=True), "inf", "inf"),
        (KeyColumn(name="k", spellings={"DE": "Germany"}), "DE", "Germany"),
    ],
)  # fmt: skip
def test_a_key_is_written_as_the_store_writes_it(
    column: KeyColumn, value: object, text: str | None
) -> None:
    assert column.text(value) == text
