"""The log of runs in S3, from which Admit judges cooldown, budget and failed challengers."""

import json
from datetime import datetime
from typing import Any

from noria.aws.s3 import MissingObjectError, Store, encode
from noria.errors import RegistryError

KEY = "registry/runs.json"
KEPT = 500
ATTEMPTS = 10


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
        for _ in range(ATTEMPTS):
            if self._try_record(run_id, facts):
                return
        raise RegistryError(
            f"'{KEY}' kept changing while run '{run_id}' was recorded; start the machine again"
        )

    def _try_record(self, run_id: str, facts: dict[str, Any]) -> bool:
        try:
            stored = self._store.read(KEY)
        except MissingObjectError:
            return self._store.put_if_absent(KEY, encode(_merged([], run_id, facts)))
        # The ETag is that of these very bytes: reading again would lose what came in between.
        entries = _merged(json.loads(stored.content), run_id, facts)
        return self._store.replace(KEY, encode(entries), stored.etag)


def _merged(
    entries: list[dict[str, Any]], run_id: str, facts: dict[str, Any]
) -> list[dict[str, Any]]:
    plain = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in facts.items()}
    known = {entry["run_id"]: entry for entry in entries}
    known[run_id] = {"run_id": run_id, **known.get(run_id, {}), **plain}
    return list(known.values())[-KEPT:]
