"""Which version of a function a name, an ARN or an alias means, and where its code lies."""

import hashlib
import io
import random
import zipfile
from pathlib import Path
from typing import Any

from infra.local.awslambda.function import Function


class FunctionResolver:
    """Finds functions in moto's backend, and the directories of their code."""

    def __init__(self, home: Path, seed: int) -> None:
        self.assets: dict[tuple[str, str], Path] = {}  # bucket and key → directory
        self._home = home
        self._random = random.Random(seed)  # noqa: S311 - picks versions behind an alias

    def resolve(self, backend: Any, name: str, qualifier: str | None) -> tuple[str, Function]:
        """Find the version that a name or ARN means; an alias may route a share elsewhere."""
        bare, qualifier = _split(name, qualifier)
        version = qualifier
        latest = backend.get_function(bare)
        arn: str = latest.function_arn
        if qualifier and not qualifier.isdigit() and qualifier != "$LATEST":
            version = self._route(backend.get_alias(qualifier, bare))
        found = backend.get_function(bare, version) if version else latest
        invoked = f"{arn}:{qualifier}" if qualifier else arn
        return invoked, self._describe(backend, found)

    def _route(self, alias: Any) -> str:
        weights = (alias.routing_config or {}).get("AdditionalVersionWeights") or {}
        drawn = self._random.random()
        for version, weight in weights.items():
            if drawn < float(weight):
                return str(version)
            drawn -= float(weight)
        return str(alias.function_version)

    def _describe(self, backend: Any, found: Any) -> Function:
        layers = [backend.layers_versions_by_arn(layer["Arn"]) for layer in found.layers]
        return Function(
            name=found.function_name,
            version=str(found.version),
            arn=found.function_arn,
            handler=found.handler,
            role=found.role,
            runtime=found.run_time,
            memory_mib=int(found.memory_size),
            timeout=int(found.timeout),
            variables=tuple(sorted((k, str(v)) for k, v in found.environment_vars.items())),
            task_root=self._directory(found.code, found),
            layers=tuple(self._directory(layer.content, layer) for layer in layers),
            log_group=found.logs_group_name,
            logging=tuple(sorted(getattr(found, "logging_config", {}).items())),
            reserved=None if found.reserved_concurrency is None
            else int(found.reserved_concurrency),
        )  # fmt: skip

    def _directory(self, code: dict[str, Any], owner: Any) -> Path:
        """Find the asset that a function or layer was deployed from, or unpack its zip file."""
        known = self.assets.get((code.get("S3Bucket", ""), code["S3Key"]))
        if known:
            return known
        target = self._home / "code" / hashlib.sha256(owner.code_bytes).hexdigest()[:32]
        if not target.exists():
            with zipfile.ZipFile(io.BytesIO(owner.code_bytes)) as archive:
                archive.extractall(target)
        return target


def _split(name: str, qualifier: str | None) -> tuple[str, str | None]:
    """Split a function name, partial ARN or ARN from the qualifier that it may end in."""
    tail = name.split(":function:")[-1] if ":function:" in name else name
    bare, _, inside = tail.partition(":")
    return bare, inside or qualifier
