"""The environment of a function is that of the template and of Lambda."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local import Deployed, LocalCloud

Invoke = Callable[..., Any]


def test_environment_is_that_of_the_template_and_of_lambda(
    invoke: Invoke, stack: Deployed, cloud: LocalCloud
) -> None:
    environment = invoke({"do": "echo"})["Payload"]["environment"]
    assert environment["BUCKET"] == stack.outputs["BucketName"]
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == stack.outputs["StageFunctionName"]
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert environment["AWS_REGION"] == "eu-west-1"
    assert environment["AWS_ENDPOINT_URL"] == cloud.endpoint_url
    assert environment["AWS_SESSION_TOKEN"]
    assert environment["OMP_NUM_THREADS"] == "1"
    assert "PYTEST_CURRENT_TEST" not in environment
    assert "PYTHONPATH" not in environment


def test_environments_beyond_lambda_s_limit_are_refused(cloud: LocalCloud, scratch: str) -> None:
    client = cloud.client("lambda")
    for variables, message in [({"A": "x" * 4096}, "4KB limit"), ({"AWS_REGION": "x"}, "reserved")]:
        with pytest.raises(ClientError, match=message):
            client.update_function_configuration(
                FunctionName=scratch, Environment={"Variables": variables}
            )
