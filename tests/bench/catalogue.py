"""A folder that answers like a Glue client, as bucket.py does for S3."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError


class FolderCatalogue:
    """The calls of `noria.aws.feature_store.catalogue`; a table is a JSON file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
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

    def create_partition(self, **_: Any) -> None:
        """Nobody asks for partitions here."""

    def get_paginator(self, operation: str) -> "FolderCatalogue":
        """Only `get_tables` has pages here."""
        return self

    def paginate(self, DatabaseName: str) -> Iterator[dict[str, Any]]:
        """All tables, as one page."""
        files = sorted(self._folder.glob("*.json"))
        yield {"TableList": [json.loads(file.read_text()) for file in files]}

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.json"
