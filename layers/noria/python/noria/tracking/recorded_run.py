"""A run as it recorded itself in the stack's bucket, for a tracking server."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from noria.aws.model_registry import HISTORY, VERSIONS, Registry
from noria.aws.run_folder import RunFolder
from noria.aws.s3 import MissingObjectError, Store
from noria.core.model.signature import Signature
from noria.core.tracking.model_files import FILES
from noria.lifecycle.model_inputs import LINEAGE

CONTRACT, ENDING = "problem.json", "ending.json"


@dataclass(frozen=True)
class RecordedRun:
    """What an execution tried and trained, and how it ended.

    `dataset` has the key and the SHA-256 of what it learnt from. `version` is the last that it
    trained; `promoted` whether that ever became the champion, `serving` whether it is now,
    `retired` why it must not be again.
    """

    run_id: str
    started: datetime
    ended: datetime
    problem: dict[str, Any]
    ending: dict[str, Any]
    trials: list[dict[str, Any]]
    version: str | None = None
    signature: Signature | None = None
    judged: dict[str, Any] | None = None
    dataset: dict[str, str] | None = None
    promoted: bool = False
    serving: bool = False
    retired: str | None = None

    @classmethod
    def read(cls, store: Store, run_id: str) -> "RecordedRun | None":
        """Read a run; None where it never got as far as a contract, or has not ended."""
        folder, registry = RunFolder(store, run_id), Registry(store)
        ending = folder.ending()
        began, over = (store.objects(folder.key(name)) for name in (CONTRACT, ENDING))
        if ending is None or not began:
            return None
        version = _trained(store, run_id)
        champion = registry.champion()
        return cls(
            run_id=run_id,
            started=began[0].modified,
            ended=over[0].modified,
            problem=store.get_json(folder.key(CONTRACT)),
            ending=ending,
            trials=_trials(store, folder),
            version=version,
            signature=_signature(registry, version) if version else None,
            judged=store.get_json(f"models/{version}/evaluation.json", None),
            dataset=_dataset(store, version),
            promoted=store.get_json(f"{HISTORY}{version}.json", None) is not None,
            serving=champion is not None and champion.version == version,
            retired=registry.retired().get(version) if version else None,
        )

    @property
    def iteration(self) -> int:
        """The last turn of the loop that tried anything, 1 where none did."""
        return max((int(one["iteration"]) for one in self.trials), default=1)

    def files(self, store: Store) -> dict[str, bytes]:
        """The version's files that a tracking server gets."""
        found: dict[str, bytes] = {}
        for name in FILES if self.version else ():
            try:
                found[name] = store.get(f"models/{self.version}/{name}")
            except MissingObjectError:
                continue  # a version that was not judged has no card
        return found


def _trials(store: Store, folder: RunFolder) -> list[dict[str, Any]]:
    """Every trial of every rung and iteration."""
    keys = store.keys(folder.key("iteration="))
    return [store.get_json(key) for key in keys if "/explore/" in key]


def _trained(store: Store, run_id: str) -> str | None:
    """The last version that a run trained and completed."""
    named: dict[str, dict[str, Any]] = store.get_json(VERSIONS, {})
    own = {name: int(one["iteration"]) for name, one in named.items() if one["run_id"] == run_id}
    for name in sorted(own, key=lambda one: own[one], reverse=True):
        if store.get_json(f"models/{name}/manifest.json", None) is not None:
            return name
    return None


def _dataset(store: Store, version: str | None) -> dict[str, str] | None:
    """What a version's training read, as its lineage has it."""
    lineage = store.get_json(f"models/{version}/{LINEAGE}", {})
    found: dict[str, str] | None = lineage.get("inputs", {}).get("dataset")
    return found


def _signature(registry: Registry, version: str) -> Signature:
    return Signature.model_validate(registry.json_file(version, "signature.json"))
