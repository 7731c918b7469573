"""The model registry in S3: versions, the champion, its history; changed by compare and swap."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from noria.aws.s3 import MissingObjectError, Store, encode
from noria.common.version_names import in_order, number_of
from noria.errors import ContentionError, RegistryError

MODEL, SIGNATURE = "model.onnx", "signature.json"
JUDGED, JUDGED_SIGNATURE = "judged.onnx", "judged_signature.json"
CHAMPION = "registry/champion.json"
VERSIONS = "registry/versions.json"  # which iteration of which run each version is of
HISTORY = "registry/history/"  # a version's latest promotion, and each that a person made
RETIRED = "registry/retired.json"
ANY_CHAMPION = "*"  # no version's name


class ByHand(BaseModel):
    """Who let a version serve and why, what served before, and the token of the call."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    action: str
    reason: str
    by: str
    token: str
    previous: str | None = None


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
    by_hand: ByHand | None = None

    def summary(self) -> dict[str, Any]:
        """What a run says of the champion at its end."""
        return self.model_dump(mode="json", include={"version", "run_id", "metrics"})


class Registry:
    """Model versions are immutable; only the champion pointer moves."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def champion(self) -> Champion | None:
        """The serving model, or None before the first promotion."""
        found = self._store.get_json(CHAMPION, None)
        return None if found is None else Champion.model_validate(found)

    def name_version(self, run_id: str, iteration: int) -> str:
        """Name the version that a run's iteration trains: v1, v2, ...; repeating changes nothing.

        Names are counted by compare and swap, so that two runs never share one.
        """
        made = {"run_id": run_id, "iteration": iteration}

        def with_it(stored: dict[str, Any] | None) -> dict[str, Any] | None:
            known = stored or {}
            return None if made in known.values() else known | {self._next(known): made}

        named: dict[str, Any] = self._store.update(VERSIONS, with_it)
        return next(name for name, one in named.items() if one == made)

    def _next(self, known: dict[str, Any]) -> str:
        """The first free name; where the count is lost, after those of the models that are left."""
        numbers = [number_of(name) for name in known or self.versions()]
        return f"v{max(numbers, default=0) + 1}"

    def trained_by(self, version: str) -> tuple[str, int] | None:
        """The run and the iteration of its loop that trained a version, or None if unknown."""
        found = self._store.get_json(VERSIONS, {}).get(version)
        return None if found is None else (str(found["run_id"]), int(found["iteration"]))

    def versions(self) -> list[str]:
        """The versions that were completed, in order."""
        keys = self._store.keys("models/")
        return in_order({key.split("/")[1] for key in keys if key.endswith("/manifest.json")})

    def promote(self, champion: Champion, replacing: str | None = ANY_CHAMPION) -> None:
        """Point to a new champion; repeating it changes nothing.

        `replacing` is the version that it was compared with, None for no champion. Raises
        `RegistryError` when another one serves since.
        """
        document = champion.model_dump(mode="json")

        def replace(stored: Any) -> dict[str, Any]:
            serving = stored["version"] if stored else None
            if replacing not in (ANY_CHAMPION, serving) and serving != champion.version:
                raise ContentionError(f"version '{serving}' serves since")
            return document

        try:
            # One attempt: a champion that came in between was never compared with this one.
            self._store.update(CHAMPION, replace, attempts=[0])
        except ContentionError as error:
            raise RegistryError(
                f"another run promoted a champion while version '{champion.version}' was being "
                "promoted; start the machine again to compare them"
            ) from error
        self.remember(champion)

    def remember(self, champion: Champion) -> None:
        """Note a promotion in the history; repeating it changes nothing."""
        document = champion.model_dump(mode="json")
        if champion.by_hand is not None:
            # A version may serve several times; what a run promotes serves for the first time.
            token = champion.by_hand.token
            self._store.put(f"{HISTORY}{champion.version}.{token}.json", encode(document))
            if self._store.get_json(f"{HISTORY}{champion.version}.json", None) is not None:
                return
        self._store.put(f"{HISTORY}{champion.version}.json", encode(document))

    def promotions(self) -> list[Champion]:
        """Every promotion, the latest last."""
        entries = [self._store.get_json(key, None) for key in self._store.keys(HISTORY)]
        known = {
            (one.version, one.promoted_at): one
            for one in (Champion.model_validate(entry) for entry in entries if entry)
        }
        return sorted(known.values(), key=lambda one: one.promoted_at)

    def retired(self) -> dict[str, str]:
        """The versions that must not serve again, and why."""
        found: dict[str, str] = self._store.get_json(RETIRED, {})
        return found

    def retire(self, version: str, reason: str) -> None:
        """Note that a version must not serve again; the first reason stays."""

        def with_it(stored: dict[str, str] | None) -> dict[str, str] | None:
            known = stored or {}
            return None if version in known else known | {version: reason}

        self._store.update(RETIRED, with_it)

    def evaluation(self, version: str) -> dict[str, Any]:
        """How a version was judged; RegistryError where it was not."""
        found = self._store.get_json(f"models/{version}/evaluation.json", None)
        if found is None:
            raise RegistryError(f"model version '{version}' was never judged: it cannot serve")
        return dict(found)

    def write_version(
        self, version: str, files: dict[str, bytes], others: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """Store a version's files, the manifest of their checksums last; returns the checksums.

        `others` are those of files that the version has already.
        """
        written = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        checksums = {**(others or {}), **written}
        for name, content in files.items():
            self._store.put(f"models/{version}/{name}", content, _content_type(name))
        self._store.put_json(f"models/{version}/manifest.json", {"sha256": checksums})
        return checksums

    def adopt_final_fit(self, version: str, files: dict[str, bytes]) -> dict[str, str]:
        """Let a version serve the fit on all rows; what was judged stays beside it.

        Later challengers are compared with the judged artifact, which has not seen the rows that
        judged it. The manifest names it before anything is written over, so that a delivery that
        broke off can be repeated.
        """
        manifest = self._store.get_json(f"models/{version}/manifest.json")["sha256"]
        if JUDGED not in manifest:
            onnx, signature = self.file(version, MODEL), self.file(version, SIGNATURE)
            manifest |= self.write_version(
                version, {JUDGED: onnx, JUDGED_SIGNATURE: signature}, manifest
            )
        return self.write_version(version, files, manifest)

    def file(self, version: str, name: str) -> bytes:
        """One file of a version, checked against its manifest."""
        return self.files(version, [name])[0]

    def files(self, version: str, names: Sequence[str]) -> list[bytes]:
        """Files of a version, fetched side by side and checked against its manifest."""
        keys = {name: f"models/{version}/{name}" for name in (*names, "manifest.json")}
        with ThreadPoolExecutor() as side_by_side:
            found = {name: side_by_side.submit(self._store.get, key) for name, key in keys.items()}
        contents = {name: _complete(version, name, one) for name, one in found.items()}
        checksums = json.loads(contents["manifest.json"])["sha256"]
        for name in names:
            if checksums.get(name) != hashlib.sha256(contents[name]).hexdigest():
                raise RegistryError(
                    f"{name} of model version '{version}' does not match its checksum; restore the "
                    "object's earlier version in S3 or train again"
                )
        return [contents[name] for name in names]

    def json_file(self, version: str, name: str) -> dict[str, Any]:
        """One JSON file of a version, checked against its manifest."""
        document: dict[str, Any] = json.loads(self.file(version, name))
        return document

    def model(self, version: str) -> tuple[bytes, dict[str, Any]]:
        """The artifact and the signature of a version."""
        onnx, signature = self.files(version, [MODEL, SIGNATURE])
        return onnx, json.loads(signature)

    def judged_model(self, version: str) -> tuple[bytes, dict[str, Any]]:
        """The artifact and the signature that were judged, before a final fit on all rows.

        RegistryError where the ones that serve are damaged: such a champion is to be replaced.
        """
        serving = self.model(version)
        manifest = self._store.get_json(f"models/{version}/manifest.json")
        if JUDGED not in manifest["sha256"]:
            return serving
        return self.file(version, JUDGED), self.json_file(version, JUDGED_SIGNATURE)

    def reference(self, version: str) -> dict[str, Any]:
        """What live use is compared with."""
        return self.json_file(version, "reference.json")


def _complete(version: str, name: str, found: Future[bytes]) -> bytes:
    try:
        return found.result()
    except MissingObjectError as error:
        raise RegistryError(
            f"model version '{version}' has no {name}; it was never completed"
        ) from error


def _content_type(name: str) -> str:
    if name.endswith(".html"):
        return "text/html; charset=utf-8"
    return "application/json" if name.endswith(".json") else "application/octet-stream"
