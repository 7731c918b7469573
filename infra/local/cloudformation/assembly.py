"""A synthesized cloud assembly: the template of one stack and its file assets."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.local.errors import LocalCloudError

# Assets above this size are dependency layers: zipping hundreds of megabytes takes minutes and
# nothing reads the result, for workers mount the assembly's directory. A note that names the
# directory goes into the bucket in place of the zip file, so that the object and its hash exist.
ZIPPED_LIMIT = 8 * 1024 * 1024  # bytes


@dataclass(frozen=True)
class FileAsset:
    """One file asset: where it is and where the template looks for it."""

    source: Path
    packaging: str
    bucket: str
    key: str

    def content(self) -> bytes:
        """Give the bytes for the bucket: the file, the zipped directory, or a note for a layer."""
        if self.packaging == "file":
            return self.source.read_bytes()
        files = [path for path in sorted(self.source.rglob("*")) if path.is_file()]
        if sum(path.stat().st_size for path in files) > ZIPPED_LIMIT:
            return json.dumps({"mounted_from": self.source.name}).encode()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files:
                entry = zipfile.ZipInfo(str(path.relative_to(self.source)))  # no times: same bytes
                archive.writestr(entry, path.read_bytes())
        return packed.getvalue()


class Assembly:
    """One stack of a `cdk.out` directory."""

    def __init__(self, directory: Path, stack_name: str, account: str, region: str) -> None:
        self.directory = directory.resolve()
        self.account, self.region = account, region
        self._artifacts = self._read("manifest.json")["artifacts"]
        self._properties = self._find(stack_name)
        self.stack_name = stack_name

    def _read(self, name: str) -> Any:
        path = self.directory / name
        if not path.is_file():
            raise LocalCloudError(f"{path} does not exist: synthesize the app first (cdk synth)")
        return json.loads(path.read_text(encoding="utf-8"))

    def _find(self, stack_name: str) -> dict[str, Any]:
        stacks = {
            artifact["properties"].get("stackName", identifier): artifact["properties"]
            for identifier, artifact in self._artifacts.items()
            if artifact["type"] == "aws:cloudformation:stack"
        }
        if stack_name not in stacks:
            known = ", ".join(sorted(stacks)) or "none"
            raise LocalCloudError(f"{self.directory} has no stack {stack_name!r}; it has: {known}")
        found: dict[str, Any] = stacks[stack_name]
        return found

    @cached_property
    def template(self) -> dict[str, Any]:
        """The stack's template."""
        template: dict[str, Any] = self._read(self._properties["templateFile"])
        return template

    def assets(self) -> Iterator[FileAsset]:
        """List the file assets that the stack needs."""
        name = self._properties["templateFile"].replace(".template.json", ".assets.json")
        for entry in self._read(name)["files"].values():
            source = self.directory / entry["source"]["path"]
            for destination in entry["destinations"].values():
                yield FileAsset(
                    source, entry["source"]["packaging"],
                    self._resolve(destination["bucketName"]), destination["objectKey"],
                )  # fmt: skip

    def _resolve(self, text: str) -> str:
        values = {"AccountId": self.account, "Region": self.region, "Partition": "aws"}
        return re.sub(r"\$\{AWS::(\w+)\}", lambda match: values[match.group(1)], text)
