"""The runs of a stack: training runs by the log, and those that only stored features."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from infra.cli.run_records import Bucket
from infra.cli.tables import Columns, Row

LOG, VERSIONS = "registry/runs.json", "registry/versions.json"
RUNS = "runs/"
PARALLEL_READS = 16  # endings that are read at a time
COLUMNS = Columns(("run", "ending", "models", "as of", "started by"),
                  cut=("started by", "models", "as of"))  # fmt: skip
STORED = "FeaturesStored"
# What such a run can come to; others are turns that the log has forgotten.
ENDINGS = (STORED, "HaltBadData", "Failed", None)


def logged_runs(bucket: Bucket) -> list[dict[str, Any]]:
    """The runs that count for cooldown and budget, oldest first."""
    found: list[dict[str, Any]] = bucket.json(LOG) or []
    return found


def trained_versions(bucket: Bucket) -> dict[str, str]:
    """The model versions that each run trained: v1, v2."""
    found: dict[str, list[str]] = {}
    named = (bucket.json(VERSIONS) or {}).items()
    for version, made in sorted(named, key=lambda item: item[1]["iteration"]):
        found.setdefault(made["run_id"], []).append(version)
    return {run: ", ".join(versions) for run, versions in found.items()}


def trained_by(bucket: Bucket, name: str) -> str:
    """The run that trained a model version; another name is a run's own."""
    return str((bucket.json(VERSIONS) or {}).get(name, {}).get("run_id", name))


def turn_rows(entries: Iterable[dict[str, Any]], versions: Mapping[str, str]) -> list[Row]:
    """A row for each logged run, as the columns have it."""
    return [
        {
            "run": entry["run_id"],
            "models": versions.get(entry["run_id"], ""),
            "as of": _minute(entry.get("as_of")),
            "started by": "alarm" if entry.get("automatic") else "person",
            "ending": entry.get("ending") or "running",
        }
        for entry in entries
    ]


def feature_rows(bucket: Bucket, entries: Iterable[dict[str, Any]]) -> list[Row]:
    """A row for each run that only stored features; the log has none of them.

    What a run leaves lies below runs/ for a week, its ending among it.
    """
    turns = {entry["run_id"] for entry in entries}
    begun = [run for run in bucket.folders(RUNS) if run not in turns]
    with ThreadPoolExecutor(PARALLEL_READS) as pool:
        endings = list(pool.map(lambda run: bucket.json(f"{RUNS}{run}/ending.json"), begun))
    told = {run: ending or {} for run, ending in zip(begun, endings, strict=True)}
    return [
        _feature_row(run, ending)
        for run, ending in told.items()
        if ending.get("ending") in ENDINGS
    ]  # fmt: skip


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Put runs in the order of their logical times, those that have none yet last."""
    return sorted(rows, key=lambda row: (not row["as of"], row["as of"]))


def _feature_row(run: str, ending: dict[str, Any]) -> Row:
    name = ending.get("ending") or "running"
    return {
        "run": run,
        "models": "",
        "as of": _minute(ending.get("as_of")),
        "started by": str((ending.get("cause") or {}).get("kind", "")),
        "ending": name if name == STORED else f"{name} (features)",
    }


def _minute(moment: str | None) -> str:
    return (moment or "")[:16].replace("T", " ")
