"""A folder that answers like a Glue client, as bucket.py does for S3."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError


class FolderCatalogue:
    """The calls of `noria.aws.feature_store.glue_catalog`; a table is a JSON file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._partitions: dict[str, dict[str, Any]] = {}
        folder.mkdir(exist_ok=True)

    def get_table(self, DatabaseName: str, Name: str) -> dict[str, Any]:
        """Describe a table."""
        if not self._file(Name).is_file():
            raise ClientError({"Error": {"Code": "EntityNotFoundException"}}, "GetTable")
        return {"Table": json.loads(self._file(Name).read_text())}

    def create_table(self, DatabaseName: str, TableInput: dict[str, Any]) -> None:
        """Make a table."""
        self._file(TableInput["Name"]).write_text(json.dumps(TableInput))

    def update_table(self, DatabaseName: str, TableInput: dict[str, Any]) -> None:
        """Change a table."""
        self.create_table(DatabaseName, TableInput)

    def batch_create_partition(
        self, DatabaseName: str, TableName: str, PartitionInputList: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """Make partitions."""
        known = self._partitions.setdefault(TableName, {})
        known.update({one["Values"][0]: one for one in PartitionInputList})
        return {}

    def batch_delete_partition(
        self, DatabaseName: str, TableName: str, PartitionsToDelete: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """Delete partitions."""
        for one in PartitionsToDelete:
            self._partitions[TableName].pop(one["Values"][0])
        return {}

    def get_paginator(self, operation: str) -> "FolderCatalogue":
        """Tables and partitions have pages."""
        return self

    def paginate(self, DatabaseName: str, TableName: str = "", **_: Any) -> Iterator[Any]:
        """All tables, and a table's partitions, as one page."""
        files = sorted(self._folder.glob("*.json"))
        partitions = self._partitions.get(TableName, {})
        yield {
            "TableList": [json.loads(file.read_text()) for file in files],
            "Partitions": list(partitions.values()),
        }

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.json"
