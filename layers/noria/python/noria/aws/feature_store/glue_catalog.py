"""Feature sets in the AWS Glue catalogue: a table for each version, readable by Athena."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from noria.errors import FeatureError

HIVE = "org.apache.hadoop.hive.ql.io.parquet"
DEFINITION, STATISTICS = "noria.definition", "noria.statistics"
PARTITION = "run"
# Glue's bounds for a column's comment and a table's description, in bytes
LONGEST_COMMENT, LONGEST_DESCRIPTION = 255, 2048
CREATED_AT_ONCE, DELETED_AT_ONCE = 100, 25  # Glue's bounds for a call on partitions


class CatalogTable(BaseModel):
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

    def register(self, table: CatalogTable) -> None:
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

    def match_partitions(self, table: str, wanted: Mapping[str, str]) -> None:
        """Show Athena what is in `wanted` (locations by run), and nothing else.

        What an earlier call failed to do is done by the next. Raises `FeatureError` for calls that
        Glue answered with errors of single partitions.
        """
        known = self._partitions(table)
        missing = [run for run in wanted if run not in known]
        surplus = [run for run in known if known[run] != wanted.get(run)]
        moved = [run for run in surplus if run in wanted]
        for runs in _batches(surplus, DELETED_AT_ONCE):
            self._change(
                self._client.batch_delete_partition, table, "EntityNotFoundException",
                PartitionsToDelete=[{"Values": [run]} for run in runs],
            )  # fmt: skip
        if missing or moved:
            descriptor = self._described(table)["StorageDescriptor"]
            for runs in _batches([*missing, *moved], CREATED_AT_ONCE):
                self._change(
                    self._client.batch_create_partition, table, "AlreadyExistsException",
                    PartitionInputList=[_partition(run, wanted[run], descriptor) for run in runs],
                )  # fmt: skip

    def set_statistics(self, table: str, statistics: str) -> None:
        """Say in the table's parameters what its rows are like."""
        known = self._described(table)
        if known.get("Parameters", {}).get(STATISTICS) != statistics:
            parameters = {**known.get("Parameters", {}), STATISTICS: statistics}
            self._update(known, {**_kept(known), "Parameters": parameters})

    def _partitions(self, table: str) -> dict[str, str]:
        """The locations that the catalogue knows, by run."""
        pages = self._client.get_paginator("get_partitions").paginate(
            DatabaseName=self._database, TableName=table, ExcludeColumnSchema=True
        )
        found = [one for page in pages for one in page["Partitions"]]
        return {one["Values"][0]: one["StorageDescriptor"]["Location"] for one in found}

    def _change(self, call: Callable[..., Any], table: str, harmless: str, **given: Any) -> None:
        """Call Glue for several partitions; `harmless` is the error of one that is done already."""
        answer = call(DatabaseName=self._database, TableName=table, **given)
        for error in answer.get("Errors", []):
            detail = error.get("ErrorDetail", {})
            if detail.get("ErrorCode") != harmless:
                raise FeatureError(
                    f"Glue refused partition {error.get('PartitionValues')} of table '{table}': "
                    f"{detail.get('ErrorCode')}: {detail.get('ErrorMessage')}; the rows are stored "
                    "and visible, the next write shows them to Athena"
                )

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


def _input(table: CatalogTable) -> dict[str, Any]:
    return {
        "Name": table.name,
        "Description": _cut(table.description, LONGEST_DESCRIPTION),
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


def _partition(run: str, location: str, descriptor: Mapping[str, Any]) -> dict[str, Any]:
    return {"Values": [run], "StorageDescriptor": {**descriptor, "Location": location}}


def _batches(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for first in range(0, len(names), size):
        yield names[first : first + size]


def _columns(columns: Sequence[tuple[str, str, str]]) -> list[dict[str, str]]:
    return [
        {"Name": name, "Type": kind} | ({"Comment": _cut(text, LONGEST_COMMENT)} if text else {})
        for name, kind, text in columns
    ]


def _cut(text: str, size: int) -> str:
    """A text's start that fits into so many bytes, in whole characters and on one line."""
    return " ".join(text.split()).encode()[:size].decode(errors="ignore")


def _holds(known: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a table is as wanted; statistics come later and stay."""
    parameters = {k: v for k, v in known.get("Parameters", {}).items() if k != STATISTICS}
    wished = {k: v for k, v in wanted["Parameters"].items() if k != STATISTICS}
    columns = known["StorageDescriptor"].get("Columns")
    return parameters == wished and columns == wanted["StorageDescriptor"]["Columns"]


def _kept(known: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a table's description that an update accepts."""
    names = ("Name", "Description", "TableType", "Parameters", "PartitionKeys", "StorageDescriptor")
    return {name: known[name] for name in names if name in known}
