"""An update sends what the template changes and no more; one that fails gives back what was."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local import Deployed, DeploymentError, LocalCloud
from tests.local.changed_assembly import Edit, Template, changed_assembly, renamed_version, resource

Deploy = Callable[[Edit], Deployed]


@pytest.fixture
def deploy(cloud: LocalCloud, stack: Deployed, assembly: Path, tmp_path: Path) -> Iterator[Deploy]:
    """Deploy the sample with a change; afterwards it is as it was."""
    count = iter(range(9))

    def change(edit: Edit) -> Deployed:
        target = tmp_path / f"change{next(count)}"
        return cloud.deploy(changed_assembly(assembly, target, edit), "sample")

    yield change
    cloud.deploy(assembly, "sample")


@pytest.fixture
def endpoint(cloud: LocalCloud, stack: Deployed) -> Iterator["Sampled"]:
    """The endpoint's function, whose variables are put back in the end."""
    made = Sampled(cloud.client("lambda"), stack.outputs["EndpointFunctionName"])
    variables = made.settings()["Environment"]["Variables"]
    yield made
    made.set_variables(variables)


class Sampled:
    """A function and its alias `live`."""

    def __init__(self, client: Any, name: str) -> None:
        self.client, self.name = client, name

    def settings(self, **of: str) -> dict[str, Any]:
        """Its configuration."""
        return dict(self.client.get_function_configuration(FunctionName=self.name, **of))

    def set_variables(self, variables: dict[str, str]) -> None:
        """Set its variables past the template."""
        self.client.update_function_configuration(
            FunctionName=self.name, Environment={"Variables": variables}
        )

    def alias(self) -> dict[str, Any]:
        """Where the alias points to."""
        return dict(self.client.get_alias(FunctionName=self.name, Name="live"))


def larger(template: Template) -> None:
    resource(template, "AWS::Lambda::Function", "Endpoint")[1]["Properties"]["MemorySize"] = 320


def test_what_the_template_leaves_alone_is_left_alone(deploy: Deploy, endpoint: Sampled) -> None:
    """GIVEN a variable that was set past the template WHEN the memory changes THEN it survives."""
    given = endpoint.settings()["Environment"]["Variables"]
    endpoint.set_variables({**given, "NORIA_MODEL": "v9"})
    deploy(larger)
    settings = endpoint.settings()
    assert settings["MemorySize"] == 320
    assert settings["Environment"]["Variables"]["NORIA_MODEL"] == "v9"


def test_variables_that_change_are_all_sent(deploy: Deploy, endpoint: Sampled) -> None:
    given = endpoint.settings()["Environment"]["Variables"]
    endpoint.set_variables({**given, "NORIA_MODEL": "v9"})

    def marked(template: Template) -> None:
        _, function = resource(template, "AWS::Lambda::Function", "Endpoint")
        function["Properties"]["Environment"]["Variables"]["MARK"] = "other code"

    deploy(marked)
    assert endpoint.settings()["Environment"]["Variables"] == {**given, "MARK": "other code"}


def test_an_unchanged_resource_is_not_touched(deploy: Deploy, endpoint: Sampled) -> None:
    before = endpoint.settings()["RevisionId"], endpoint.alias()["RevisionId"]

    def described(template: Template) -> None:
        _, function = resource(template, "AWS::Lambda::Function", "Endpoint")
        function["Metadata"] = {"told": "to nobody"}

    deploy(described)
    assert (endpoint.settings()["RevisionId"], endpoint.alias()["RevisionId"]) == before


def test_a_replaced_layer_reaches_the_functions_that_name_it(
    deploy: Deploy, endpoint: Sampled
) -> None:
    (before,) = endpoint.settings()["Layers"]

    def another_layer(template: Template) -> None:
        resource(template, "AWS::Lambda::LayerVersion", "Layer")[1]["Properties"]["Description"] = (
            "another"
        )

    deploy(another_layer)
    (after,) = endpoint.settings()["Layers"]
    assert after["Arn"] != before["Arn"]


def test_shares_that_others_gave_outlive_a_deployment(deploy: Deploy, endpoint: Sampled) -> None:
    """GIVEN a canary under way THEN a deployment moves the rest of the traffic."""
    endpoint.set_variables({**endpoint.settings()["Environment"]["Variables"], "NORIA_MODEL": "v9"})
    canary = endpoint.client.publish_version(FunctionName=endpoint.name)["Version"]
    shares = {"AdditionalVersionWeights": {canary: 0.1}}
    endpoint.client.update_alias(FunctionName=endpoint.name, Name="live", RoutingConfig=shares)
    before = endpoint.alias()["FunctionVersion"]

    def released(template: Template) -> None:
        larger(template)
        renamed_version(template, "Canary")

    deploy(released)
    alias = endpoint.alias()
    assert alias["FunctionVersion"] not in (before, canary)
    assert alias["RoutingConfig"] == shares
    settings = endpoint.settings(Qualifier=alias["FunctionVersion"])
    assert settings["MemorySize"] == 320
    endpoint.client.update_alias(
        FunctionName=endpoint.name, Name="live", RoutingConfig={"AdditionalVersionWeights": {}}
    )


def failing(template: Template) -> None:
    """A release behind whose last step stands one that Lambda refuses."""
    larger(template)
    renamed_version(template, "Failing")
    live, alias = resource(template, "AWS::Lambda::Alias", "Live")
    properties = {**alias["Properties"], "Name": "other", "FunctionVersion": "999"}
    template["Resources"]["Other"] = {
        "Type": "AWS::Lambda::Alias", "Properties": properties, "DependsOn": [live],
    }  # fmt: skip


def test_an_update_that_fails_gives_back_the_templates_values(
    deploy: Deploy, endpoint: Sampled
) -> None:
    """GIVEN an alias that a promotion moved THEN it goes back to the template's version."""
    deploy(lambda template: renamed_version(template, "Before"))
    of_template = endpoint.alias()["FunctionVersion"]
    variables = endpoint.settings()["Environment"]["Variables"]
    endpoint.set_variables({**variables, "NORIA_MODEL": "v9"})
    promoted = endpoint.client.publish_version(FunctionName=endpoint.name)["Version"]
    endpoint.client.update_alias(FunctionName=endpoint.name, Name="live", FunctionVersion=promoted)

    with pytest.raises(DeploymentError, match="has the values of its template before again"):
        deploy(failing)
    assert endpoint.alias()["FunctionVersion"] == of_template
    settings = endpoint.settings()
    assert settings["MemorySize"] == 256
    assert settings["Environment"]["Variables"]["NORIA_MODEL"] == "v9"
    aliases = endpoint.client.list_aliases(FunctionName=endpoint.name)["Aliases"]
    assert [alias["Name"] for alias in aliases] == ["live"]
    deploy(larger)
    assert endpoint.settings()["MemorySize"] == 320


def test_a_change_decided_on_an_old_revision_is_refused(
    cloud: LocalCloud, endpoint: Sampled
) -> None:
    client, name = endpoint.client, endpoint.name
    old, alias = endpoint.settings()["RevisionId"], endpoint.alias()["RevisionId"]
    variables = endpoint.settings()["Environment"]["Variables"]
    changed = client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**variables, "A": "1"}}, RevisionId=old
    )
    assert changed["RevisionId"] != old
    refused = client.exceptions.PreconditionFailedException
    with pytest.raises(refused):
        client.update_function_configuration(FunctionName=name, Timeout=9, RevisionId=old)
    with pytest.raises(refused):
        client.publish_version(FunctionName=name, RevisionId=old)
    client.update_alias(FunctionName=name, Name="live", Description="a", RevisionId=alias)
    with pytest.raises(refused):
        client.update_alias(FunctionName=name, Name="live", Description="b", RevisionId=alias)
    live = endpoint.alias()["FunctionVersion"]
    with pytest.raises(client.exceptions.ResourceConflictException, match="aliases reference it"):
        client.delete_function(FunctionName=name, Qualifier=live)
