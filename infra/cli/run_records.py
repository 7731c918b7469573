"""What a run recorded about itself in the stack's bucket."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.packaging.assets import ROOT
from noria.common.run_documents import in_order, last_of_each

REPORTS = ROOT / ".noria" / "reports"
MEANT = frozenset(
    {
        "Promote", "RollBack", "KeepChampion", "RuleSuffices", "FeaturesStored", "HaltBadData",
        "HaltProblem", "HaltNotEffective", "Skipped", "ReevaluateProblem", "AwaitApproval",
    }
)  # fmt: skip


class Bucket:
    """Reads and writes of one bucket."""

    def __init__(self, s3: Any, name: str) -> None:
        self._s3, self.name = s3, name

    def get(self, key: str) -> bytes | None:
        """An object's bytes, or None where there is none."""
        try:
            body: bytes = self._s3.get_object(Bucket=self.name, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return None
        return body

    def json(self, key: str) -> Any:
        """An object's document, or None where there is none."""
        found = self.get(key)
        return None if found is None else json.loads(found)

    def keys(self, prefix: str) -> list[str]:
        """The keys below a prefix."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def etags(self, prefix: str) -> dict[str, str]:
        """The ETags of the objects below a prefix, by key."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return {item["Key"]: item["ETag"] for page in pages for item in page.get("Contents", [])}

    def folders(self, prefix: str) -> list[str]:
        """The names of the folders in one."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=prefix, Delimiter="/"
        )
        found = [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", [])]
        return [folder.removeprefix(prefix).rstrip("/") for folder in found]

    def upload(self, file: Path, key: str) -> None:
        """Put a file."""
        self._s3.upload_file(str(file), self.name, key)


@dataclass(frozen=True)
class RunRecord:
    """One run: how it ended, every decision, every candidate, and the champion after it."""

    run_id: str
    ending: str
    reasons: list[str] = field(default_factory=list)
    cause: dict[str, Any] = field(default_factory=dict)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    candidates: list[dict[str, Any]] = field(default_factory=list)
    champion: dict[str, Any] | None = None

    @property
    def as_meant(self) -> bool:
        """Whether the machine ended, or waits, as it is meant to."""
        return self.ending in MEANT

    def decision(self, state: str) -> dict[str, Any] | None:
        """The last decision of a state."""
        found = [item for item in self.decisions if item["state"] == state]
        return found[-1] if found else None


def read_run(bucket: Bucket, run_id: str, *, waiting_at: str | None, failed: str = "") -> RunRecord:
    """Read a run that ended, waits at a state, or failed (with this error)."""
    ending = None if waiting_at else bucket.json(f"runs/{run_id}/ending.json")
    if ending is None:
        ending = _unfinished(bucket, run_id, waiting_at, failed)
    verdicts = [
        {"state": v["state"], "decision": v["decision"], "reasons": v.get("reasons", []),
         "evidence": v.get("evidence", {})}
        for v in ending["verdicts"]
    ]  # fmt: skip
    return RunRecord(
        run_id, ending["ending"], ending.get("reasons", []), ending.get("cause") or {},
        verdicts, ending.get("candidates", []), ending.get("champion"),
    )  # fmt: skip


def _unfinished(bucket: Bucket, run_id: str, waiting_at: str | None, failed: str) -> dict[str, Any]:
    """Put together what an ending would say, from the pieces that are there."""
    waiting = bucket.json(f"runs/{run_id}/waiting.json") if waiting_at else None
    champion = bucket.json("registry/champion.json")
    explored = [key for key in bucket.keys(f"runs/{run_id}/iteration=") if "/explore/" in key]
    return {
        "ending": waiting_at or "Failed",
        "reasons": (waiting or {}).get("reasons", [failed] if failed else []),
        "verdicts": in_order([bucket.json(key) for key in bucket.keys(f"runs/{run_id}/verdicts/")]),
        "candidates": last_of_each(bucket.json(key) for key in explored),
        "champion": champion
        and {name: champion[name] for name in ("version", "run_id", "metrics")},
    }


def save_report(bucket: Bucket, stack: str, run_id: str) -> Path | None:
    """Download a run's report; returns where it is, or None if the run came to none."""
    content = bucket.get(f"runs/{run_id}/report.html")
    if content is None:
        return None
    file = REPORTS / stack / run_id / "report.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def shown_path(path: Path) -> str:
    """A path as short as it can be from here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
