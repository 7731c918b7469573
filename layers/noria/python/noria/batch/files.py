"""ReadBatchFile and WriteBatchPart: files in, parts of them as requests, and answers beside them.

A file is in memory as a whole, as where a source is collected; what it is read as follows from all
of its rows. From then on it goes in parts.
"""

import hashlib
import io
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from noria.aws.model_registry import SIGNATURE, Registry
from noria.aws.s3 import MissingObjectError
from noria.batch.batch_step import BatchStep, Document
from noria.common.json_lines import read_lines, write_lines
from noria.core.ingestion.file_table import refuse_left_out
from noria.core.ingestion.readers import read_file
from noria.core.model.answer_columns import answer_columns, refuse_taken
from noria.core.model.batch_counts import counts_of
from noria.core.model.file_rows import columns_to_read, exact_columns, request_rows
from noria.core.model.signature import Signature
from noria.errors import BatchError, DataError
from noria.lifecycle.stage_logging import note

PART_ROWS = 50_000
LARGEST_FILE = 500_000_000  # bytes; as a fetched source: held in memory, they fit Lambda's least


def read_batch_file(step: BatchStep) -> Document:
    """Split a file into parts, where that is not done; one that is no table is told in its place.

    Raises BatchError where the file is not what was planned any more.
    """
    number, keys = step.number, step.keys
    known = step.store.get_json(keys.file(number), None)
    if known is not None:
        return {"parts": known["parts"], "skipped": True}
    file = step.plan["files"][number]
    told = {**file, "rows": 0, "parts": 0}
    try:
        content = _content(step, file)
        told["sha256"] = hashlib.sha256(content).hexdigest()
        told |= _split(step, content, file["name"])
    except DataError as error:
        told["unreadable"] = str(error)
    note(rows_in=told["rows"])
    step.store.put_json(keys.file(number), told)
    return {"parts": told["parts"], "skipped": False}


def write_batch_part(step: BatchStep) -> Document:
    """Put a part's answers beside its rows, where that is not done."""
    number, part, keys = step.number, step.part, step.keys
    if step.store.get_json(keys.counted(number, part), None) is not None:
        return {"skipped": True}
    rows = parquet.read_table(io.BytesIO(step.store.get(keys.input_rows(number, part))))
    outcomes = list(read_lines(step.store.get(keys.outcomes(number, part))))
    beside = answer_columns(outcomes, _signature(step))
    columns = [*rows.columns, *beside.values()]
    table = pa.table(columns, names=[*rows.column_names, *beside])
    step.store.put(keys.answers(number, part), _parquet(table))
    counts = counts_of(outcomes)
    step.store.put_json(keys.counted(number, part), counts | {"execution": step.execution})
    note(rows_out=counts["answered"])
    return {"skipped": False}


def _content(step: BatchStep, file: Document) -> bytes:
    if file["bytes"] > LARGEST_FILE:
        raise DataError(
            f"{file['name']} has {file['bytes']:,} bytes, and at most {LARGEST_FILE:,} are read at "
            "a time: split it into several files"
        )
    try:
        stored = step.store.read(file["key"])
    except MissingObjectError as error:
        raise BatchError(
            f"{file['name']} was deleted since the batch began: start it again"
        ) from error
    if stored.etag.strip('"') != file["etag"]:
        raise BatchError(f"{file['name']} was changed since the batch began: start it again")
    return stored.content


def _split(step: BatchStep, content: bytes, name: str) -> Document:
    signature = _signature(step)
    read = read_file(content, name, exact=exact_columns(signature))
    table = read.table
    names = columns_to_read(table.column_names, signature, name)
    refuse_left_out({column: told for column, told in read.left_out.items()
                     if column in signature.known}, name)  # fmt: skip
    refuse_taken(table.column_names, signature, name)
    starts = range(0, table.num_rows, PART_ROWS)
    for part, start in enumerate(starts):
        _write_rows(step, part, table.slice(start, PART_ROWS), names, signature)
    missing = [field.name for field in signature.asked if field.name not in names]
    return {"rows": table.num_rows, "parts": len(starts), "missing_columns": missing,
            "left_out": sorted(read.left_out), "notes": list(read.notes)}  # fmt: skip


def _write_rows(
    step: BatchStep, part: int, rows: pa.Table, names: Sequence[str], signature: Signature
) -> None:
    columns = {name: _values(rows.column(name)) for name in names}
    lines = write_lines(request_rows(columns, signature))
    step.store.put(step.keys.input_rows(step.number, part), _parquet(rows))
    step.store.put(step.keys.request_rows(step.number, part), lines)


def _values(column: pa.ChunkedArray) -> list[Any]:
    """A column's values in Python's types, which count no finer than microseconds."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    values: list[Any] = column.to_pylist()
    return values


def _signature(step: BatchStep) -> Signature:
    document = Registry(step.store).json_file(step.plan["model_version"], SIGNATURE)
    return Signature.model_validate(document)


def _parquet(table: pa.Table) -> bytes:
    written = io.BytesIO()
    parquet.write_table(table, written)
    return written.getvalue()
