"""What a model version was made from: noted while it is read, and stored beside the model."""

import hashlib
from typing import Any

from noria.aws.checksums import Audit
from noria.aws.clients import client
from noria.aws.s3 import encode
from noria.lifecycle.stage import Stage

LINEAGE = "lineage.json"


class Inputs:
    """What a stage reads for a model version, with the checksum of each object."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._read: dict[str, dict[str, str]] = {}

    def get(self, name: str, key: str) -> bytes:
        """Read an object and note it under a name; raises `MissingObjectError`."""
        content = self._stage.store.get(key)
        self._read[name] = {"key": key, "sha256": hashlib.sha256(content).hexdigest()}
        return content

    def lineage(self) -> bytes:
        """The version's `lineage.json`: run, code, and every input by key and SHA-256.

        It holds no time of its own, so a repeated delivery writes the same bytes.
        """
        stage = self._stage
        self.get("contract", stage.run.key("problem.json"))
        self.get("collected", stage.run.key("collected.json"))
        rows = f"clean/run={stage.event.execution}/rows.parquet"  # too large to hold
        digest = Audit(client("s3"), stage.environment.bucket).digest(rows)
        document: dict[str, Any] = {
            "run": stage.event.execution,
            "iteration": stage.iteration,
            "as_of": stage.event.as_of.isoformat(),
            "code_version": stage.environment.code_version,
            "inputs": self._read | {"rows": {"key": rows, "sha256": digest}},
        }
        return encode(document)
