"""What a stack recorded of one model version, read piece by piece; a missing piece is no error."""

from datetime import datetime
from typing import Any

from noria.aws.feature_store.offline_files import MANIFESTS, Files
from noria.aws.model_registry import CHAMPION, VERSIONS, Registry
from noria.aws.run_folder import RunFolder
from noria.aws.s3 import Store
from noria.common.version_names import in_order
from noria.core.lineage.document import Document, Records
from noria.errors import FeatureError
from noria.lifecycle.environment import parse_time
from noria.lifecycle.model_inputs import LINEAGE

UNREADABLE = "is no JSON document any more: restore its earlier version in S3"


class Recorded:
    """The documents of one stack's bucket; those that are none any more are noted."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._registry = Registry(store)
        self._unreadable: list[str] = []

    def records(
        self, version: str, deployed: Document | None = None, deployed_code: str | None = None
    ) -> Records:
        """Everything about a version and its run, beside what is deployed."""
        origin = self._json(f"models/{version}/{LINEAGE}")
        made = self._made().get(version, {})
        run_id, turn = str(made.get("run_id", "unknown")), int(made.get("iteration", 0))
        if origin is not None:
            run_id, turn = str(origin.get("run", run_id)), int(origin.get("iteration", turn))
        run = RunFolder(self._store, run_id)
        found = {name: self._json(key) for name, key in _keys(version, run, turn).items()}
        return Records(
            version=version,
            run_id=run_id,
            turn=turn,
            champion=self.champion(),
            origin=origin,
            verdicts=self._verdicts(run),
            deployed=deployed,
            deployed_code=deployed_code,
            stored=self._stored(run_id),
            problems=tuple(dict.fromkeys(self._unreadable)),
            **found,
        )

    def _stored(self, run_id: str) -> list[dict[str, Any]]:
        """The files that a run added to the feature store, by table."""
        tables = [key.split("/")[1] for key in self._store.keys(f"{MANIFESTS}/")
                  if key.endswith("/current.json")]  # fmt: skip
        files, found = Files(self._store), []
        for table in tables:
            try:
                entry = files.current(table).of_run(run_id)
            except FeatureError as error:
                self._unreadable.append(str(error))
                continue
            if entry is not None:
                found.append({"table": table, **entry.model_dump(mode="json")})
        return found

    def _verdicts(self, run: RunFolder) -> list[dict[str, Any]]:
        try:
            return run.verdicts()
        except ValueError:
            self._unreadable.append(f"{run.key('verdicts/')} {UNREADABLE}")
            return []

    def champion(self) -> str | None:
        """The version that serves, or None."""
        found = self._json(CHAMPION)
        return None if found is None else str(found["version"])

    def serving(self, at: datetime) -> str | None:
        """The version that had been promoted last at a time."""
        promoted = [self._json(key) for key in self._store.keys("registry/history/")]
        before = [p for p in promoted if p and parse_time(p["promoted_at"]) <= at]
        latest = max(before, key=lambda p: parse_time(p["promoted_at"]), default=None)
        return None if latest is None else str(latest["version"])

    def _json(self, key: str) -> dict[str, Any] | None:
        """A document, or None where it is gone or, which is noted, none any more."""
        try:
            found = self._store.get_json(key, None)
        except ValueError:
            found = ()
        if found is None or isinstance(found, dict):
            return found
        self._unreadable.append(f"{key} {UNREADABLE}")
        return None

    def versions(self) -> list[str]:
        """The model versions there are, in order."""
        return self._registry.versions()

    def latest_of(self, run_id: str) -> str | None:
        """The last version that a run trained, or None."""
        made = self._made().items()
        trained = in_order(name for name, one in made if one["run_id"] == run_id)
        return trained[-1] if trained else None

    def _made(self) -> dict[str, Any]:
        """The run and iteration of each version."""
        return self._json(VERSIONS) or {}


def _keys(version: str, run: RunFolder, turn: int) -> dict[str, str]:
    """Where the documents of a version and its run are."""
    folder = f"models/{version}/"
    return {
        "manifest": f"{folder}manifest.json",
        "signature": f"{folder}signature.json",
        "evaluation": f"{folder}evaluation.json",
        "promotion": f"registry/history/{version}.json",
        "plan": run.iteration_key(turn, "plan.json"),
        "ending": run.key("ending.json"),
        "collected": run.key("collected.json"),
        "contract": run.key("problem.json"),
    }


def is_known(records: Records) -> bool:
    """Whether anything at all is left of a version or of its run."""
    parts = (records.manifest, records.signature, records.promotion, records.ending)
    return bool(records.verdicts) or any(part is not None for part in parts)
