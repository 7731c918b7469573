"""One synthesized sample stack and one local cloud for all tests here: both are slow to make.

A process has one cloud at a time, so it ends with this package.
"""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local import Deployed, LocalCloud

ROOT = Path(__file__).parents[2]
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample app's cloud assembly; `changed/` below it is the same app with another model."""
    out = tmp_path_factory.mktemp("cdk") / "cdk.out"
    app = Path(__file__).with_name("sample") / "app.py"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    made = subprocess.run(
        [sys.executable, str(app), str(out)], env=environment, capture_output=True, check=False
    )
    assert made.returncode == 0, made.stderr.decode()
    return out


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Lambda brings itself: boto3 and what it needs, nothing else of this environment."""
    directory = tmp_path_factory.mktemp("runtime")
    for name in RUNTIME:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (directory / source.name).symlink_to(source)
    return directory


@pytest.fixture(scope="package")
def cloud(runtime: Path) -> Iterator[LocalCloud]:
    """A running local cloud."""
    with LocalCloud(runtime=runtime, wait_cap=0.05) as running:
        yield running


@pytest.fixture(scope="package")
def stack(cloud: LocalCloud, assembly: Path) -> Deployed:
    """The sample stack, deployed."""
    return cloud.deploy(assembly, "sample")


@pytest.fixture
def run(cloud: LocalCloud, stack: Deployed) -> Callable[..., Any]:
    """Run the sample's state machine."""

    def start(given: Any = None, **options: Any) -> Any:
        return cloud.run(stack.outputs["StateMachineArn"], given, **options)

    return start


@pytest.fixture
def invoke(cloud: LocalCloud, stack: Deployed) -> Callable[..., Any]:
    """Invoke the sample's all-purpose function through the API."""
    import json

    def call(event: Any, name: str = stack.outputs["StageFunctionName"], **options: Any) -> Any:
        answer = cloud.client("lambda").invoke(
            FunctionName=name, Payload=json.dumps(event), **options
        )
        answer["Payload"] = json.loads(answer["Payload"].read() or b"null")
        return answer

    return call
