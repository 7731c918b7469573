"""The feature store in the template: what it may touch, and the table of latest values."""

import pytest

from infra.store import ONLINE_SUFFIX
from noria import feature_loading
from tests.infra.conftest import Synthesized
from tests.infra.template import Template

TABLE = "AWS::DynamoDB::Table"


@pytest.fixture(scope="module")
def visits(synthesized: Synthesized) -> Template:
    """A contract with history features."""
    return synthesized("visits", "lambda")


def test_history_features_have_a_table_that_costs_nothing_while_idle(visits: Template) -> None:
    [table] = visits.properties(TABLE)
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["KeySchema"] == [{"AttributeName": "entity", "KeyType": "HASH"}]
    [put] = visits.may("engineer_features")["dynamodb:PutItem"]
    assert put["Fn::GetAtt"] == [next(iter(visits.resources(TABLE))), "Arn"]


def test_without_history_features_there_is_no_table(penguins: Template) -> None:
    assert not penguins.resources(TABLE)
    assert not [a for a in penguins.may("engineer_features") if a.startswith("dynamodb")]


def test_functions_find_the_table_by_the_databases_name(visits: Template) -> None:
    [table], [database] = visits.properties(TABLE), visits.properties("AWS::Glue::Database")
    name = database["DatabaseInput"]["Name"] + feature_loading.ONLINE_SUFFIX
    assert table["TableName"] == name
    assert ONLINE_SUFFIX == feature_loading.ONLINE_SUFFIX


def test_nothing_deletes_from_the_feature_store(visits: Template) -> None:
    for function in visits.functions():
        assert "s3:DeleteObject" not in visits.may(function)
        assert not [action for action in visits.may(function) if action.startswith("glue:Delete")]
