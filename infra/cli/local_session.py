"""A local cloud with contracts deployed in it, as commands and benchmarks use it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.app import synthesize
from infra.cli.deployed_stack import StackAccess
from infra.cli.run_records import Bucket, RunRecord, read_run
from infra.local import ExecutionResult, LocalCloud, Observer
from infra.packaging.assets import build_runtime
from noria.contracts import Problem

PATIENCE = 3600.0  # seconds that one execution may take
WAIT = 0.2  # of these, that a state waits at most: a canary looks every minute
Say = Callable[[str], None]


@dataclass(frozen=True)
class LocalStack:
    """A stack in this process's cloud."""

    cloud: LocalCloud
    access: StackAccess

    @property
    def bucket(self) -> Bucket:
        """The stack's bucket."""
        return Bucket(self.access.client("s3"), self.access.bucket)

    def drop(self, source: str, files: Sequence[Path]) -> None:
        """Put files where people drop them for a source."""
        for file in files:
            self.bucket.upload(file, f"incoming/{source}/{file.name}")

    def run(self, given: Mapping[str, Any], observer: Observer | None = None) -> RunRecord:
        """Run one execution to its end, or to where it waits for a person."""
        arn = self.cloud.start(self.access.machine_arn, dict(given))
        return self.follow(arn, observer)

    def follow(self, arn: str, observer: Observer | None = None) -> RunRecord:
        """Wait for an execution and read what it recorded."""
        result = self.cloud.wait(arn, PATIENCE, observer)
        self.cloud.settle()
        return self.record(result)

    def record(self, result: ExecutionResult) -> RunRecord:
        """Read what an execution recorded."""
        failed = f"{result.error}: {result.cause}" if result.error else ""
        return read_run(self.bucket, result.name, waiting_at=result.waiting_at, failed=failed)


@contextmanager
def local_stacks(
    contracts: Sequence[Path], say: Say, *, port: int = 0
) -> Iterator[dict[str, LocalStack]]:
    """Start a cloud and deploy contracts: their stacks by name. Ports are counted up from `port`.

    Synthesis and the start of the cloud go on side by side.
    """
    say("building layers and templates, starting the local cloud")
    cloud = LocalCloud(runtime=build_runtime(), wait_cap=WAIT)
    with ThreadPoolExecutor(max_workers=1) as pool:
        assembly = pool.submit(synthesize, None, contracts)
        cloud.open()
        try:
            made = assembly.result()
        except BaseException:
            cloud.close()
            raise
    try:
        yield {name: _deploy(cloud, made, name, say, port and port + position)
               for position, name in enumerate(names_of(contracts))}  # fmt: skip
    finally:
        cloud.close()


def names_of(contracts: Sequence[Path]) -> list[str]:
    """The stacks' names: those of the contracts."""
    return [Problem.load(path).name for path in contracts]


def _deploy(cloud: LocalCloud, assembly: Path, name: str, say: Say, port: int) -> LocalStack:
    import boto3

    say(f"deploying stack {name} from its template")
    outputs = cloud.deploy(assembly, name).outputs
    session = boto3.session.Session(
        aws_access_key_id=cloud.credentials.access_key,
        aws_secret_access_key=cloud.credentials.secret_key,
        region_name=cloud.region,
    )
    url = cloud.serve_api(outputs, port)
    return LocalStack(cloud, StackAccess(name, outputs, session, cloud.endpoint_url, url))


def describe(stacks: Mapping[str, LocalStack]) -> dict[str, Any]:
    """The document by which commands in other processes find the cloud and its stacks."""
    cloud = next(iter(stacks.values())).cloud
    return {
        "endpoint_url": cloud.endpoint_url,
        "region": cloud.region,
        "access_key": cloud.credentials.access_key,
        "secret_key": cloud.credentials.secret_key,
        "stacks": {
            name: {"outputs": dict(stack.access.outputs), "api_url": stack.access.api_url}
            for name, stack in stacks.items()
        },
    }
