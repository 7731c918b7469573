"""A deployed stack, as its users handle it: drop files, start executions, ask the endpoint."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from infra.cli.main import app
from infra.local import Deployed, LocalCloud
from infra.local.apigateway.client import request


@dataclass(frozen=True)
class Ended:
    """How an execution ended: its record, its status, and the states it went through."""

    name: str
    arn: str
    status: str
    waiting_at: str | None
    record: dict[str, Any]
    states: list[str]

    @property
    def ending(self) -> str:
        """The final state's name; a machine that waits for a person is where it waits."""
        return self.waiting_at or str(self.record["ending"])

    @property
    def reasons(self) -> str:
        """Why it ended so."""
        return "\n".join(self.record.get("reasons", []))

    def decision(self, state: str) -> dict[str, Any]:
        """The last verdict of a state."""
        found: dict[str, Any] = [v for v in self.record["verdicts"] if v["state"] == state][-1]
        return found

    @property
    def versions(self) -> list[str]:
        """The model versions that it trained, one for each iteration that came so far."""
        trained = [v for v in self.record["verdicts"] if v["state"] == "TrainModel"]
        return [str(verdict["evidence"]["version"]) for verdict in trained]


class Stack:
    """One stack in the local cloud."""

    def __init__(self, cloud: LocalCloud, deployed: Deployed) -> None:
        self.cloud, self.name, self.outputs = cloud, deployed.stack_name, deployed.outputs
        self.bucket = deployed.outputs["BucketName"]
        self.machine = deployed.outputs["StateMachineArn"]

    def drop(self, source: str, content: bytes, name: str = "rows.csv") -> None:
        """Drop a file into the bucket."""
        self.put(f"incoming/{source}/{name}", content)

    def put(self, key: str, content: bytes) -> None:
        """Write an object of the bucket."""
        self._s3.put_object(Bucket=self.bucket, Key=key, Body=content)

    @contextmanager
    def instead(self, source: str, content: bytes, name: str = "rows.csv") -> Iterator[None]:
        """Have another file in a source for a while."""
        key = f"incoming/{source}/rows.csv"
        before = self.read(key)
        self._s3.delete_object(Bucket=self.bucket, Key=key)
        self.drop(source, content, name)
        try:
            yield
        finally:
            self._s3.delete_object(Bucket=self.bucket, Key=f"incoming/{source}/{name}")
            self._s3.put_object(Bucket=self.bucket, Key=key, Body=before)

    def run(self, **given: Any) -> Ended:
        """Start an execution and follow it to its end, or to where it waits for a person."""
        seen: list[str] = []
        result = self.cloud.run(
            self.machine,
            given,
            timeout=120,
            observer=lambda event: seen.append(event.state) if event.kind == "entered" else None,
        )
        return self._ended(result, seen)

    def follow(self, arn: str) -> Ended:
        """Follow an execution that somebody else started, or that was answered."""
        return self._ended(self.cloud.wait(arn, timeout=120), [])

    def answer(self, waiting: Ended, **answer: Any) -> None:
        """Answer a machine that waits for a person."""
        token = self.json(f"runs/{waiting.name}/waiting.json")["token"]
        states = self.cloud.client("stepfunctions")
        states.send_task_success(taskToken=token, output=json.dumps(answer))
        while self._last_event(waiting.arn) == "TaskSubmitted":
            time.sleep(0.02)  # the machine takes the answer in another thread

    def log(self, run: str) -> list[dict[str, Any]]:
        """The log lines of a run, of all functions; what is no JSON is no line of ours."""
        logs = self.cloud.client("logs")
        pages = logs.get_paginator("describe_log_groups").paginate()
        groups = [group for page in pages for group in page["logGroups"]]
        lines = [
            json.loads(event["message"])
            for group in groups
            for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
            if event["message"].startswith("{")
        ]
        return [line for line in lines if line.get("run") == run]

    def read(self, key: str) -> bytes:
        """An object of the bucket."""
        content: bytes = self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return content

    def json(self, key: str) -> Any:
        """A JSON object of the bucket."""
        return json.loads(self.read(key))

    def keys(self, prefix: str) -> list[str]:
        """The keys below a prefix."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix
        )
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def noted_in(self, folder: Path) -> Path:
        """The file in which commands with --local find this stack."""
        credentials = self.cloud.credentials
        document = {
            "endpoint_url": self.cloud.endpoint_url,
            "region": self.cloud.region,
            "access_key": credentials.access_key,
            "secret_key": credentials.secret_key,
            "stacks": {self.name: {"outputs": dict(self.outputs), "api_url": None}},
        }
        file = folder / "local.json"
        file.write_text(json.dumps(document))
        return file

    def lineage(self, *arguments: str) -> list[dict[str, Any]]:
        """What `noria lineage --verify` says, step by step; commands must find the stack."""
        command = ["lineage", self.name, "--local", "--json", "--verify", *arguments]
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, (result.output, result.exception)
        steps: list[dict[str, Any]] = json.loads(result.stdout)["steps"]
        return steps

    def tag(self, key: str, name: str) -> str | None:
        """A tag of an object of the bucket."""
        tags = self._s3.get_object_tagging(Bucket=self.bucket, Key=key)["TagSet"]
        return {tag["Key"]: tag["Value"] for tag in tags}.get(name)

    def champion(self) -> bytes:
        """The champion pointer's bytes."""
        return self.read("registry/champion.json")

    def ask(self, method: str, path: str, body: Any = None, *, signed: bool = True) -> Any:
        """Ask the endpoint over HTTP, through API Gateway and the alias."""
        credentials = self.cloud.credentials if signed else None
        region = self.cloud.region
        return request(
            method, f"{self._url}{path}", credentials=credentials, region=region, json=body
        )

    def _last_event(self, arn: str) -> str:
        states = self.cloud.client("stepfunctions")
        history = states.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=1)
        return str(history["events"][0]["type"])

    @cached_property
    def _url(self) -> str:
        return self.cloud.serve_api(self.outputs)

    @property
    def _s3(self) -> Any:
        return self.cloud.client("s3")

    def _ended(self, result: Any, states: list[str]) -> Ended:
        key = f"runs/{result.name}/ending.json"
        record = self.json(key) if self.keys(key) else {}
        return Ended(
            result.name, result.arn, result.status, result.waiting_at, record, list(states)
        )
