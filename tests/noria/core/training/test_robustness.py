"""A model card says what a missing, noisy or unknown field costs."""

import numpy as np
import pytest

from noria.core.data.dataset import Column, Dataset
from noria.core.features.plan import make_plan
from noria.core.training.fitted_model import Member
from noria.core.training.train import train
from tests.support.model_data import mixed, problem

ROWS = 2_000


def told(candidate: str = "logistic_regression") -> dict[str, dict[str, float | None]]:
    """Robustness on rows whose outcome a number tells, a city a little, and noise not at all."""
    generator = np.random.default_rng(5)
    data = {
        "weight": generator.normal(70, 10, ROWS),
        "city": generator.choice(["Oslo", "Rome"], ROWS),
        "lottery": generator.normal(size=ROWS),
    }
    signal = (data["weight"] - 70) / 10 + 0.8 * (data["city"] == "Rome")
    target = (signal + generator.normal(0, 0.7, ROWS) > 0.4).astype(int)
    columns = (
        Column("weight", "number"), Column("city", "category"), Column("lottery", "number"),
    )  # fmt: skip
    rows = Dataset(columns, data, target, ("no", "yes"), np.arange(ROWS) % 4 == 0)
    asked = problem()
    trained = train(rows, [Member(make_plan(rows, asked, 0), candidate)], asked, 0)
    return {one.field: one.model_dump() for one in trained.signature.robustness}


@pytest.mark.parametrize("candidate", ["logistic_regression", "hist_gradient_boosting"])
def test_what_a_model_hangs_on_costs_most_where_it_is_gone(candidate: str) -> None:
    found = told(candidate)
    weight, city = found["weight"], found["city"]
    assert weight["missing"] is not None
    assert city["missing"] is not None
    assert weight["missing"] > 0.15 > city["missing"] > 0.005
    assert weight["noise"] == pytest.approx(0, abs=0.02)
    assert weight["unit"] is not None
    assert weight["unit"] > 0.15
    assert (weight["unseen"], city["noise"], city["unit"]) == (None, None, None)
    assert city["unseen"] == pytest.approx(city["missing"], abs=0.05)
    assert "lottery" not in found or abs(found["lottery"]["missing"] or 0) < 0.02


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_columns_of_every_kind_are_spoilt(classes: int) -> None:
    task, metric = {0: ("regression", "r2"), 2: ("binary", "f1"), 3: ("multiclass", "log_loss")}[
        classes
    ]
    dataset, asked = mixed(600, classes), problem(task, metric)
    members = [Member(make_plan(dataset, asked, 1), "extra_trees")]
    signature = train(dataset, members, asked, 0).signature
    assert signature.robustness
    assert [one.field for one in signature.robustness] == [
        name for name, loss in signature.importances.items() if loss > 0
    ][:15]
    assert all(one.missing is not None for one in signature.robustness)
