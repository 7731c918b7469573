"""Versions, aliases and code of functions are found as Lambda finds them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local import Deployed, LocalCloud

Invoke = Callable[..., Any]


def test_unknown_function_is_not_found(invoke: Invoke) -> None:
    with pytest.raises(ClientError, match="Function not found"):
        invoke({}, name="nobody")


def test_versions_keep_their_environment_and_aliases_follow_weights(
    cloud: LocalCloud, invoke: Invoke, scratch: str
) -> None:
    client = cloud.client("lambda")

    def word(qualifier: str) -> Any:
        answer = invoke({"do": "echo"}, name=f"{scratch}:{qualifier}")
        return answer["Payload"]["environment"]["WORD"], answer["ExecutedVersion"]

    first = client.publish_version(FunctionName=scratch)["Version"]
    bucket = {"BUCKET": "b"}
    client.update_function_configuration(
        FunctionName=scratch, Environment={"Variables": bucket | {"WORD": "two"}}
    )
    second = client.publish_version(FunctionName=scratch)["Version"]
    assert (first, second) == ("1", "2")
    assert client.publish_version(FunctionName=scratch)["Version"] == "2"  # nothing has changed
    assert word("1") == ("one", "1")
    assert word("$LATEST") == ("two", "$LATEST")

    client.create_alias(FunctionName=scratch, Name="live", FunctionVersion="1")
    assert word("live") == ("one", "1")
    client.update_alias(
        FunctionName=scratch, Name="live", FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )  # fmt: skip
    drawn = [word("live")[1] for _ in range(40)]
    assert 8 <= drawn.count("2") <= 32
    client.update_alias(
        FunctionName=scratch, Name="live", FunctionVersion="2",
        RoutingConfig={"AdditionalVersionWeights": {}},
    )  # fmt: skip
    assert word("live") == ("two", "2")

    client.delete_function(FunctionName=scratch, Qualifier="1")
    client.update_function_configuration(
        FunctionName=scratch, Environment={"Variables": bucket | {"WORD": "three"}}
    )
    assert client.publish_version(FunctionName=scratch)["Version"] == "3"


def test_code_given_as_a_zip_file_runs_too(cloud: LocalCloud, stack: Deployed) -> None:
    import io
    import zipfile

    client = cloud.client("lambda")
    role = client.get_function(FunctionName=stack.outputs["StageFunctionName"])["Configuration"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", "def handler(event, context):\n    return event['a'] + 1\n")
    client.create_function(
        FunctionName="zipped", Runtime="python3.13", Role=role["Role"], Handler="index.handler",
        Code={"ZipFile": packed.getvalue()},
    )  # fmt: skip
    answer = client.invoke(FunctionName="zipped", Payload=json.dumps({"a": 1}))
    assert json.loads(answer["Payload"].read()) == 2
