"""Deploying a synthesized assembly: all of it, or a refusal that names what cannot be run."""

from pathlib import Path

import pytest

from infra.local import Deployed, LocalCloud, LocalCloudError, UnsupportedTemplateError


def test_outputs_and_resources_exist(cloud: LocalCloud, stack: Deployed) -> None:
    assert {"BucketName", "StateMachineArn", "EndpointUrl", "ApiId"} <= stack.outputs.keys()
    bucket = stack.outputs["BucketName"]
    versioning = cloud.client("s3").get_bucket_versioning(Bucket=bucket)
    assert versioning["Status"] == "Enabled"
    table = cloud.client("glue").get_table(DatabaseName="sample_db", Name="predictions")["Table"]
    assert table["StorageDescriptor"]["Location"] == f"s3://{bucket}/predictions/"
    alias = cloud.client("lambda").get_alias(
        FunctionName=stack.outputs["EndpointFunctionName"], Name="live"
    )
    assert alias["FunctionVersion"] == "1"
    rules = cloud.client("events").list_rules()["Rules"]
    assert len(rules) == 4


def test_assets_are_in_the_bootstrap_bucket(cloud: LocalCloud, stack: Deployed) -> None:
    bucket = f"cdk-hnb659fds-assets-{cloud.account}-{cloud.region}"
    keys = [item["Key"] for item in cloud.client("s3").list_objects_v2(Bucket=bucket)["Contents"]]
    assert any(key.endswith(".zip") for key in keys)
    assert any(key.endswith(".json") for key in keys)


def test_unknown_things_stop_the_deployment_by_name_before_anything_exists(
    cloud: LocalCloud, assembly: Path
) -> None:
    roles = len(cloud.client("iam").list_roles()["Roles"])
    with pytest.raises(UnsupportedTemplateError) as refused:
        cloud.deploy(assembly, "strange")
    message = str(refused.value)
    assert "AWS::GameLift::Fleet of Fleet" in message
    assert "type Teleport of state Odd in state machine Weird" in message
    assert "States.Telepathy of state Sum in state machine Weird" in message
    assert len(cloud.client("iam").list_roles()["Roles"]) == roles


def test_an_unknown_stack_is_named_with_those_that_exist(cloud: LocalCloud, assembly: Path) -> None:
    with pytest.raises(LocalCloudError, match=r"no stack 'other'; it has: sample, strange"):
        cloud.deploy(assembly, "other")


def test_a_directory_without_an_assembly_says_what_to_do(cloud: LocalCloud, tmp_path: Path) -> None:
    with pytest.raises(LocalCloudError, match="cdk synth"):
        cloud.deploy(tmp_path, "sample")


def test_one_cloud_at_a_time(cloud: LocalCloud) -> None:
    with pytest.raises(LocalCloudError, match="another local cloud"):
        LocalCloud().open()


def test_a_changed_stack_is_updated_in_place(
    cloud: LocalCloud, stack: Deployed, assembly: Path
) -> None:
    try:
        changed = cloud.deploy(assembly / "changed", "sample")
        client, name = cloud.client("lambda"), stack.outputs["EndpointFunctionName"]
        assert changed.outputs == stack.outputs
        alias = client.get_alias(FunctionName=name, Name="live")
        assert alias["FunctionVersion"] == "2"
        live = client.get_function_configuration(FunctionName=name, Qualifier="live")
        assert live["Environment"]["Variables"]["MODEL"] == "second"
    finally:
        cloud.deploy(assembly, "sample")
