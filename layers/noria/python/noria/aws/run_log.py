"""The log of runs in S3, from which Admit judges cooldown, budget and failed challengers."""

from datetime import datetime
from typing import Any

from noria.aws.s3 import Store
from noria.errors import ContentionError, RegistryError

KEY = "registry/runs.json"
KEPT = 500


class RunLog:
    """One object with the latest runs, changed by compare and swap; one entry a run."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def entries(self) -> list[dict[str, Any]]:
        """The runs, oldest first."""
        found: list[dict[str, Any]] = self._store.get_json(KEY, [])
        return found

    def record(self, run_id: str, **facts: Any) -> None:
        """Merge facts into a run's entry; repeating it changes nothing."""
        try:
            self._store.update(KEY, lambda entries: _merged(entries or [], run_id, facts))
        except ContentionError as error:
            raise RegistryError(
                f"'{KEY}' kept changing while run '{run_id}' was recorded; start the machine again"
            ) from error


def _merged(
    entries: list[dict[str, Any]], run_id: str, facts: dict[str, Any]
) -> list[dict[str, Any]]:
    plain = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in facts.items()}
    known = {entry["run_id"]: entry for entry in entries}
    known[run_id] = {"run_id": run_id, **known.get(run_id, {}), **plain}
    return list(known.values())[-KEPT:]
