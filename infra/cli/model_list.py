"""The model versions of a stack: what was trained, what of it serves or served, and what not."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from infra.cli.run_list import VERSIONS, logged_runs
from infra.cli.run_records import Bucket

CHAMPION, HISTORY, MODELS = "registry/champion.json", "registry/history/", "models/"
RETIRED = "registry/retired.json"
PARALLEL_READS = 16  # versions that are read at a time
RUNNING = "running"


@dataclass(frozen=True)
class ModelVersion:
    """One version: who trained it, its files as stored, and the times at which it served.

    `signature` and `evaluation` are empty where the run came to none. `promoted` is the registry's
    last entry of it, `until` when the next version took its place; both None where that did not
    happen. `retired` says why it must not serve again.
    """

    name: str
    run_id: str
    iteration: int
    ending: str
    automatic: bool
    signature: dict[str, Any]
    evaluation: dict[str, Any]
    promoted: dict[str, Any] | None = None
    until: str | None = None
    retired: str | None = None

    @property
    def status(self) -> str:
        """Whether it serves or served, or what became of the run that trained it."""
        if self.retired is not None:
            return "retired"
        if self.promoted is None:
            return self.ending
        return "champion" if self.until is None else f"served until {minute(self.until)}"

    @property
    def started_by(self) -> str:
        """Whether an alarm or a person started the run."""
        return "alarm" if self.automatic else "person"

    def document(self) -> dict[str, Any]:
        """All that is told of it, for programs."""
        promoted_at = self.promoted and self.promoted["promoted_at"]
        return {
            "version": self.name, "status": self.status, "run": self.run_id,
            "iteration": self.iteration, "started_by": self.started_by,
            "candidate": self.signature.get("candidate"), "recipe": self.signature.get("recipe"),
            "rows": self.rows, "metric": self.evaluation.get("metric"),
            "value": self.evaluation.get("value"), "interval": self.evaluation.get("interval"),
            "metrics": self.evaluation.get("metrics", {}), "promoted_at": promoted_at,
            "by_hand": self.by_hand, "retired": self.retired,
            "served_until": self.until, "features": self.features,
        }  # fmt: skip

    @property
    def by_hand(self) -> dict[str, Any] | None:
        """Who let it serve and why, where that was no run."""
        return None if self.promoted is None else self.promoted.get("by_hand")

    @property
    def features(self) -> list[str]:
        """The columns that it reads."""
        return [column["name"] for column in self.signature.get("columns", [])]

    @property
    def rows(self) -> int | None:
        """The rows that it was fitted on."""
        return self.signature.get("rows")

    @property
    def score(self) -> str:
        """Its metric on its own holdout, where it was judged."""
        value = self.evaluation.get("value")
        return "" if value is None else f"{self.evaluation['metric']} {value:.4f}"


def read_versions(bucket: Bucket) -> list[ModelVersion]:
    """Read all versions that were trained, the oldest first."""
    promoted, until = _history(bucket)
    retired = bucket.json(RETIRED) or {}
    served = {name: {"run_id": one["run_id"], "iteration": 1} for name, one in promoted.items()}
    named: dict[str, dict[str, Any]] = served | (bucket.json(VERSIONS) or {})
    log = {entry["run_id"]: entry for entry in logged_runs(bucket)}
    last = {made["run_id"]: 0 for made in named.values()}
    for made in named.values():
        last[made["run_id"]] = max(last[made["run_id"]], made["iteration"])

    def read(name: str) -> ModelVersion:
        run_id, iteration = named[name]["run_id"], named[name]["iteration"]
        entry = log.get(run_id, {})
        went_on = iteration < last[run_id]
        ending = "not good enough" if went_on else entry.get("ending") or RUNNING
        return ModelVersion(
            name, run_id, iteration, ending, bool(entry.get("automatic")),
            bucket.json(f"{MODELS}{name}/signature.json") or {},
            bucket.json(f"{MODELS}{name}/evaluation.json") or {},
            promoted.get(name), until.get(name), retired.get(name),
        )  # fmt: skip

    with ThreadPoolExecutor(PARALLEL_READS) as pool:
        return list(pool.map(read, sorted(named, key=_number)))


def minute(moment: str) -> str:
    """A moment in UTC, to the minute."""
    return moment[:16].replace("T", " ")


def _history(bucket: Bucket) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """The last promotion of each version that serves or served, and when the next one ended it.

    The champion counts although its own entry may be missing: the pointer moves first.
    """
    entries = [bucket.json(key) for key in bucket.keys(HISTORY)]
    champion = bucket.json(CHAMPION)
    found = {(str(one["promoted_at"]), one["version"]): one for one in [*entries, champion] if one}
    in_turn = [found[key] for key in sorted(found)]
    last = {one["version"]: one for one in in_turn}
    ended = {one["version"]: str(after["promoted_at"]) for one, after in pairwise(in_turn)}
    if in_turn:
        ended.pop(in_turn[-1]["version"], None)  # it served before, and does again
    return last, ended


def _number(version: str) -> tuple[int, str]:
    found = re.fullmatch("v([0-9]+)", version)
    return (int(found[1]) if found else 0, version)
