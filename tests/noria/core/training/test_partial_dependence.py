"""Partial dependence shows the shape of what a model learnt of a field."""

import numpy as np

from noria.core.data.dataset import Column, Dataset
from noria.core.features.plan import make_plan
from noria.core.model.signature import Signature
from noria.core.training.fitted_model import Member
from noria.core.training.train import train
from tests.support.model_data import mixed, problem

ROWS = 1_500


def described(candidate: str) -> Signature:
    """Prices that rise with the area by 2 each, and are 5 higher in Rome; the age tells nothing."""
    generator = np.random.default_rng(4)
    data = {
        "area": generator.uniform(20, 100, ROWS),
        "city": generator.choice(["Oslo", "Rome", "Bern"], ROWS, p=[0.5, 0.3, 0.2]),
        "age": generator.uniform(0, 80, ROWS),
    }
    target = 2 * data["area"] + 20 * (data["city"] == "Rome") + generator.normal(0, 1, ROWS)
    columns = (Column("area", "number"), Column("city", "category"), Column("age", "number"))
    rows = Dataset(columns, data, target, (), np.arange(ROWS) % 5 == 0)
    asked = problem("regression", "rmse")
    return train(rows, [Member(make_plan(rows, asked, 0), candidate)], asked, 0).signature


def test_a_straight_line_is_drawn_as_one() -> None:
    found = {one.field: one for one in described("ridge").dependences}
    area = found["area"]
    slopes = np.diff(area.answers) / np.diff(np.array(area.values, dtype=float))
    assert len(area.values) == 15
    assert np.allclose(slopes, 2, atol=0.05)


def test_categories_come_by_frequency_with_their_levels() -> None:
    city = next(one for one in described("hist_gradient_boosting").dependences
                if one.field == "city")  # fmt: skip
    levels = dict(zip(city.values, city.answers, strict=True))
    assert [*levels] == ["Oslo", "Rome", "Bern"]
    assert 15 < levels["Rome"] - levels["Oslo"] < 25


def test_importances_say_how_sure_they_are() -> None:
    signature = described("ridge")
    assert set(signature.importance_errors) == set(signature.importances)
    assert 0 < signature.importance_errors["area"] < signature.importances["area"] / 5
    age, error = signature.importances["age"], signature.importance_errors["age"]
    assert abs(age) < 5 * error + 0.05


def test_many_classes_have_no_single_answer_to_draw() -> None:
    dataset, asked = mixed(300, 3), problem("multiclass", "accuracy")
    members = [Member(make_plan(dataset, asked, 0), "decision_tree")]
    assert train(dataset, members, asked, 0).signature.dependences == ()
