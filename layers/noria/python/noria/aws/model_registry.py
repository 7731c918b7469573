"""The model registry in S3: versions, the champion, its history; changed by compare and swap."""

import hashlib
import json
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from noria.aws.s3 import MissingObjectError, Store, encode
from noria.errors import ContentionError, RegistryError

CHAMPION = "registry/champion.json"


class Champion(BaseModel):
    """The model version that serves, with what later runs compare themselves to."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: str
    run_id: str
    as_of: datetime
    function_version: str
    metric: str
    metrics: dict[str, float]
    training_rows: int
    promoted_at: datetime


class Registry:
    """Model versions are immutable; only the champion pointer moves."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def champion(self) -> Champion | None:
        """The serving model, or None before the first promotion."""
        found = self._store.get_json(CHAMPION, None)
        return None if found is None else Champion.model_validate(found)

    def promote(self, champion: Champion) -> None:
        """Point to a new champion; repeating it changes nothing.

        Raises `RegistryError` when another promotion happened in between.
        """
        document = champion.model_dump(mode="json")
        try:
            # One attempt: a champion that came in between was never compared with this one.
            self._store.update(CHAMPION, lambda _: document, attempts=[0])
        except ContentionError as error:
            raise RegistryError(
                f"another run promoted a champion while version '{champion.version}' was being "
                "promoted; start the machine again to compare them"
            ) from error
        self._store.put(f"registry/history/{champion.version}.json", encode(document))

    def write_version(self, version: str, files: dict[str, bytes]) -> dict[str, str]:
        """Store a version's files, the manifest of their checksums last; returns the checksums."""
        checksums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        for name, content in files.items():
            self._store.put(f"models/{version}/{name}", content, _content_type(name))
        self._store.put_json(f"models/{version}/manifest.json", {"sha256": checksums})
        return checksums

    def file(self, version: str, name: str) -> bytes:
        """One file of a version, checked against its manifest."""
        try:
            manifest = self._store.get_json(f"models/{version}/manifest.json")
            content = self._store.get(f"models/{version}/{name}")
        except MissingObjectError as error:
            raise RegistryError(
                f"model version '{version}' has no {name}; it was never completed"
            ) from error
        if manifest["sha256"].get(name) != hashlib.sha256(content).hexdigest():
            raise RegistryError(
                f"{name} of model version '{version}' does not match its checksum; restore the "
                "object's earlier version in S3 or train again"
            )
        return content

    def json_file(self, version: str, name: str) -> dict[str, Any]:
        """One JSON file of a version, checked against its manifest."""
        document: dict[str, Any] = json.loads(self.file(version, name))
        return document

    def model(self, version: str) -> tuple[bytes, dict[str, Any]]:
        """The artifact and the signature of a version."""
        return self.file(version, "model.onnx"), self.json_file(version, "signature.json")

    def reference(self, version: str) -> dict[str, Any]:
        """What live use is compared with."""
        return self.json_file(version, "reference.json")


def _content_type(name: str) -> str:
    if name.endswith(".html"):
        return "text/html; charset=utf-8"
    return "application/json" if name.endswith(".json") else "application/octet-stream"
