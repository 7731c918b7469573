"""Feature sets by name and version, as the Glue catalogue describes them."""

import json
from collections.abc import Iterator
from typing import Any

from noria.aws.feature_store import CatalogTable, Catalogue, Files
from noria.aws.feature_store.glue_catalog import DEFINITION, STATISTICS
from noria.aws.s3 import Store
from noria.core.feature_store.feature_set import (
    CREATED_TIME,
    EVENT_TIME,
    NUMBERS,
    TYPES,
    FeatureSet,
    StoredColumn,
    WindowFeature,
)
from noria.core.feature_store.versioning import VersionDifference, compare_versions, evolve
from noria.core.windows.tiles import OF_TIMES
from noria.errors import FeatureError


class FeatureRegistry:
    """The definitions of one stack's feature sets; needs neither DuckDB nor pandas."""

    def __init__(self, files: Files, catalogue: Catalogue) -> None:
        self._files = files
        self._catalogue = catalogue

    def register(self, definition: FeatureSet) -> FeatureSet:
        """Say what a set holds; returns it with the version that it is stored under.

        Added columns keep the version; a removed column, a changed type or key make a new one.
        """
        registered = evolve(self.latest(definition.name), definition)
        self._catalogue.register(_table(registered, self._files.location(registered.table)))
        return registered

    def feature_sets(self) -> list[FeatureSet]:
        """All versions of all sets, by name and version."""
        return sorted(self._definitions(), key=lambda found: (found.name, found.version))

    def describe(self, name: str, version: int | None = None) -> dict[str, Any]:
        """A set's definition, rows, runs, files, and what its columns held in the latest write."""
        feature_set = self.feature_set(name, version)
        manifest = self._files.current(feature_set.table)
        parameters = self._catalogue.definitions()[feature_set.table]
        return {
            "definition": feature_set.model_dump(mode="json"),
            "table": feature_set.table,
            "rows": manifest.rows,
            "runs": manifest.runs,
            "runs_forgotten": manifest.forgotten,
            "backfills": manifest.backfills,
            "files": len(manifest.entries),
            "bytes": sum(entry.bytes for entry in manifest.entries),
            "statistics": json.loads(parameters.get(STATISTICS, "{}")),
        }

    def windows_of(self, feature_set: FeatureSet) -> list[WindowFeature]:
        """The windows of all versions of a set that its rows can still be aggregated to.

        A model that learnt from an earlier version looks up by that version's windows.
        """
        kinds = {column.name: column.kind for column in feature_set.columns}
        earlier = [one for one in self._definitions() if one.name == feature_set.name]
        found = {
            (one.source, one.function, one.over): one
            for version in (*sorted(earlier, key=lambda one: one.version), feature_set)
            for one in version.windows
            if one.column in kinds
            and (one.equals is not None or one.function in OF_TIMES or kinds[one.column] in NUMBERS)
        }
        return list(found.values())

    def latest(self, name: str) -> FeatureSet | None:
        """The latest version of a set, None before the first."""
        return self._versions(name).get(None)

    def compare(self, name: str, before: int, after: int) -> VersionDifference:
        """How two versions of a set differ."""
        return compare_versions(self.feature_set(name, before), self.feature_set(name, after))

    def feature_set(self, name: str, version: int | None = None) -> FeatureSet:
        """A version of a set, by default the latest; raises `FeatureError`."""
        versions = self._versions(name)
        if not versions:
            known = ", ".join(sorted({found.name for found in self._definitions()})) or "none yet"
            raise FeatureError(f"there is no feature set '{name}'; registered are: {known}")
        if version not in versions:
            there = ", ".join(str(number) for number in versions if number)
            raise FeatureError(
                f"feature set '{name}' has no version {version}; it has version {there}"
            )
        return versions[version]

    def _versions(self, name: str) -> dict[int | None, FeatureSet]:
        """A set's versions by number, the latest also under None."""
        found = [one for one in self._definitions() if one.name == name]
        ordered = sorted(found, key=lambda one: one.version)
        latest: dict[int | None, FeatureSet] = {None: ordered[-1]} if ordered else {}
        return {one.version: one for one in ordered} | latest

    def _definitions(self) -> Iterator[FeatureSet]:
        for parameters in self._catalogue.definitions().values():
            yield FeatureSet.model_validate_json(parameters[DEFINITION])


def _table(feature_set: FeatureSet, location: str) -> CatalogTable:
    """A feature set as people see it in the Glue console."""
    times = ((EVENT_TIME, "when the values were true, UTC"),
             (CREATED_TIME, "when they became known, UTC"))  # fmt: skip
    keys = [(c.name, TYPES[c.kind].glue, _comment(c)) for c in feature_set.entity_key]
    features = [(c.name, TYPES[c.kind].glue, _comment(c)) for c in feature_set.features]
    between = [(name, TYPES["time"].glue, meaning) for name, meaning in times]
    told = {
        "classification": "parquet",
        "feature_set": feature_set.name,
        "version": str(feature_set.version),
        "entity_key": ", ".join(feature_set.keys),
        "event_time": feature_set.event_time,
        "source": feature_set.source,
        DEFINITION: feature_set.model_dump_json(),
    }
    return CatalogTable(
        name=feature_set.table,
        description=feature_set.description,
        location=location,
        columns=(*keys, *between, *features),
        parameters=told,
    )


def _comment(column: StoredColumn) -> str:
    """What a column means, and what the data call it where that is another name."""
    source = column.source_column
    other = f"column {source!r}" if source not in (None, column.name) else ""
    return ", ".join(filter(None, [column.description, other]))


def open_registry(s3: Any, bucket: str, glue: Any, database: str) -> FeatureRegistry:
    """The registry of a stack, by its clients."""
    return FeatureRegistry(Files(Store(s3, bucket)), Catalogue(glue, database))
