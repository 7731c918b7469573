"""A function of the sample stack that a test may change."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.local import Deployed, LocalCloud

Invoke = Callable[..., Any]


@pytest.fixture
def scratch(cloud: LocalCloud, stack: Deployed) -> Iterator[str]:
    """A copy of the stage function that a test may change."""
    client = cloud.client("lambda")
    original = client.get_function(FunctionName=stack.outputs["StageFunctionName"])
    settings = original["Configuration"]
    backend = cloud._services.lambda_backend()
    code = backend.get_function(stack.outputs["StageFunctionName"]).code
    client.create_function(
        FunctionName="scratch", Runtime="python3.13", Role=settings["Role"],
        Handler=settings["Handler"], Code={k: code[k] for k in ("S3Bucket", "S3Key")},
        Layers=[layer["Arn"] for layer in settings["Layers"]], Timeout=2, MemorySize=256,
        Environment={"Variables": {"BUCKET": stack.outputs["BucketName"], "WORD": "one"}},
    )  # fmt: skip
    yield "scratch"
    client.delete_function(FunctionName="scratch")
