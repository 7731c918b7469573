"""Feature sets in the AWS Glue catalogue: a table for each version, readable by Athena."""

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from noria.errors import FeatureError

HIVE = "org.apache.hadoop.hive.ql.io.parquet"
DEFINITION, STATISTICS = "noria.definition", "noria.statistics"
PARTITION = "run"
LONGEST_COMMENT = 255  # Glue's bound for a column's comment


class Table(BaseModel):
    """A table as the catalogue describes it: columns with their Glue type and description."""

    model_config = ConfigDict(frozen=True)

    name: str
    description: str
    location: str
    columns: tuple[tuple[str, str, str], ...]
    parameters: dict[str, str]


class Catalogue:
    """The tables of one Glue database that hold feature sets."""

    def __init__(self, client: Any, database: str) -> None:
        self._client = client
        self._database = database

    def definitions(self) -> dict[str, Mapping[str, str]]:
        """The parameters of each table that was registered as a feature set."""
        pages = self._client.get_paginator("get_tables").paginate(DatabaseName=self._database)
        tables = [table for page in pages for table in page["TableList"]]
        found = {table["Name"]: table.get("Parameters", {}) for table in tables}
        return {name: values for name, values in found.items() if DEFINITION in values}

    def register(self, table: Table) -> None:
        """Make or change a table; one that is as wanted is left alone.

        Raises `FeatureError` when somebody else changed it at the same time.
        """
        known = self._table(table.name)
        wanted = _input(table)
        if known is None:
            self._create(wanted)
        elif not _holds(known, wanted):
            kept = {k: v for k, v in known.get("Parameters", {}).items() if k == STATISTICS}
            self._update(known, {**wanted, "Parameters": {**wanted["Parameters"], **kept}})

    def add_partition(self, table: str, run: str, location: str) -> None:
        """Show a run's rows to Athena; again is no error."""
        descriptor = self._described(table)["StorageDescriptor"]
        given = {"Values": [run], "StorageDescriptor": {**descriptor, "Location": location}}
        try:
            self._client.create_partition(
                DatabaseName=self._database, TableName=table, PartitionInput=given
            )
        except ClientError as error:
            if _code(error) != "AlreadyExistsException":
                raise

    def set_statistics(self, table: str, statistics: str) -> None:
        """Say in the table's parameters what its rows are like."""
        known = self._described(table)
        if known.get("Parameters", {}).get(STATISTICS) != statistics:
            parameters = {**known.get("Parameters", {}), STATISTICS: statistics}
            self._update(known, {**_kept(known), "Parameters": parameters})

    def _described(self, name: str) -> dict[str, Any]:
        known = self._table(name)
        if known is None:
            raise FeatureError(
                f"database '{self._database}' has no table '{name}'; register the feature set"
            )
        return known

    def _table(self, name: str) -> dict[str, Any] | None:
        try:
            answer = self._client.get_table(DatabaseName=self._database, Name=name)
        except ClientError as error:
            if _code(error) != "EntityNotFoundException":
                raise
            return None
        found: dict[str, Any] = answer["Table"]
        return found

    def _create(self, wanted: dict[str, Any]) -> None:
        try:
            self._client.create_table(DatabaseName=self._database, TableInput=wanted)
        except ClientError as error:
            self._refuse_changed(error, "AlreadyExistsException", wanted)

    def _update(self, known: dict[str, Any], wanted: dict[str, Any]) -> None:
        # With its version the call fails where somebody changed the table since it was read.
        version = {"VersionId": known["VersionId"]} if known.get("VersionId") else {}
        try:
            self._client.update_table(DatabaseName=self._database, TableInput=wanted, **version)
        except ClientError as error:
            self._refuse_changed(error, "ConcurrentModificationException", wanted)

    def _refuse_changed(self, error: ClientError, code: str, wanted: dict[str, Any]) -> None:
        """Raise, unless the table is as wanted: the reply to a call that succeeded may be lost."""
        if _code(error) != code:
            raise error
        known = self._table(wanted["Name"])
        if known is None or not _holds(known, wanted):
            raise FeatureError(
                f"somebody else changed table '{wanted['Name']}' in the catalogue at the same "
                "time; do it again"
            ) from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _input(table: Table) -> dict[str, Any]:
    return {
        "Name": table.name,
        "Description": table.description[:2048],
        "TableType": "EXTERNAL_TABLE",
        "Parameters": table.parameters,
        "PartitionKeys": [{"Name": PARTITION, "Type": "string"}],
        "StorageDescriptor": {
            "Columns": _columns(table.columns),
            "Location": table.location,
            "InputFormat": f"{HIVE}.MapredParquetInputFormat",
            "OutputFormat": f"{HIVE}.MapredParquetOutputFormat",
            "SerdeInfo": {
                "SerializationLibrary": f"{HIVE}.serde.ParquetHiveSerDe",
                "Parameters": {"serialization.format": "1"},
            },
        },
    }


def _columns(columns: Sequence[tuple[str, str, str]]) -> list[dict[str, str]]:
    return [
        {"Name": name, "Type": kind} | ({"Comment": text[:LONGEST_COMMENT]} if text else {})
        for name, kind, text in columns
    ]


def _holds(known: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a table is as wanted; statistics come later and stay."""
    parameters = {k: v for k, v in known.get("Parameters", {}).items() if k != STATISTICS}
    wished = {k: v for k, v in wanted["Parameters"].items() if k != STATISTICS}
    columns = known["StorageDescriptor"].get("Columns")
    return parameters == wished and columns == wanted["StorageDescriptor"]["Columns"]


def _kept(known: Mapping[str, Any]) -> dict[str, Any]:
    """What an update takes of what a table's description tells."""
    names = ("Name", "Description", "TableType", "Parameters", "PartitionKeys", "StorageDescriptor")
    return {name: known[name] for name in names if name in known}
