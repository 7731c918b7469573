"""A Google sheet as one CSV table: its header found, its empty edges cut, error cells emptied."""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from noria.aws.s3 import Store
from noria.common.missing_marks import is_spreadsheet_error
from noria.contracts import GoogleSheetSource
from noria.errors import DataError
from noria.ingestion.sources.base import Fetched, Origin
from noria.ingestion.sources.google_api import DOCUMENTS, Api, Published
from noria.ingestion.sources.secrets import Secrets

Cells = list[list[Any]]


def open_origin(source: GoogleSheetSource, store: Store, secrets: Secrets) -> Origin:
    """The sheet, and the way to a private one."""
    return GoogleSheet(source, Published(), lambda: Api(secrets(source.secret or "")))


class GoogleSheet:
    """A published sheet, or a private one where the source names a secret."""

    def __init__(
        self, source: GoogleSheetSource, published: Published, api: Callable[[], Api]
    ) -> None:
        self._source, self._published, self._api = source, published, api

    def parts(self, known: Mapping[str, str]) -> Iterator[Fetched]:
        """Give the sheet as CSV; its ETag is the digest of the cells, for Google gives none."""
        cells = self._private() if self._source.secret else self._public()
        content, notes = self._table(cells)
        digest, name = hashlib.sha256(content).hexdigest(), f"{self._source.name}.csv"
        unchanged = known.get(name) == digest
        yield Fetched(name, self._where(), digest, None if unchanged else content, notes)

    def _where(self) -> str:
        """The sheet's address as a browser shows it."""
        chosen = {"gid": self._source.gid, "range": self._source.range}
        given = {name: value for name, value in chosen.items() if value is not None}
        address = f"{DOCUMENTS}/spreadsheets/d/{self._source.sheet}"
        return f"{address}/edit#{urlencode(given)}" if given else address

    def _public(self) -> Cells:
        source = self._source
        content = self._published.csv(source.sheet, source.gid, source.range)
        try:
            return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
        except (UnicodeDecodeError, csv.Error) as error:
            raise DataError(
                f"source '{source.name}': the sheet's export is no CSV in UTF-8 ({error}): check "
                "sheet and gid, or give the source a secret with a service account"
            ) from error

    def _private(self) -> Cells:
        source, api = self._source, self._api()
        if source.range and ("!" in source.range or source.gid is None):
            return api.values(source.sheet, source.range)
        tabs = api.tabs(source.sheet)
        gid = next(iter(tabs), 0) if source.gid is None else source.gid
        if gid not in tabs:
            known = ", ".join(f"{number} ({title})" for number, title in tabs.items())
            raise DataError(f"source '{source.name}': no tab has gid {gid}; there are {known}")
        title = tabs[gid].replace("'", "''")
        return api.values(source.sheet, f"'{title}'" + (f"!{source.range}" if source.range else ""))

    def _table(self, cells: Cells) -> tuple[bytes, tuple[str, ...]]:
        failed: dict[str, int] = {}
        first = self._source.header - 1
        header = [_text(cell).strip() for cell in cells[first]] if len(cells) > first else []
        while header and not header[-1]:
            header.pop()
        if not header:
            raise DataError(
                f"source '{self._source.name}': row {first + 1} of the sheet's range holds no "
                "column names; set header to the row that does, or check range"
            )
        self._check_header(header, first + 1)
        rows = []
        for number, cells_of_row in enumerate(cells[first + 1 :], first + 2):
            row = [_value(cell, failed) for cell in cells_of_row]
            self._check_width(row, header, number)
            if any(row):
                rows.append(row[: len(header)] + [""] * (len(header) - len(row)))
        if not rows:
            raise DataError(
                f"source '{self._source.name}': the sheet has no rows below row {first + 1} "
                f"({', '.join(header[:5])}); add the data, or check gid and range"
            )
        return _csv([header, *rows]), tuple(f"{n} cells {e} read as missing" for e, n in
                                            sorted(failed.items()))  # fmt: skip

    def _check_header(self, header: list[str], row: int) -> None:
        place = f"source '{self._source.name}': row {row} of the sheet's range"
        if "" in header:
            raise DataError(
                f"{place} names no column {header.index('') + 1} of {len(header)} (a merged cell "
                "names only its first column); name it, set header to another row, or give a "
                "narrower range"
            )
        repeated = [name for name, count in Counter(header).items() if count > 1]
        if repeated:
            raise DataError(f"{place} names more than one column {repeated[0]}; rename them")

    def _check_width(self, row: list[str], header: list[str], number: int) -> None:
        beyond = [cell for cell in row[len(header) :] if cell]
        if beyond:
            raise DataError(
                f"source '{self._source.name}': row {number} of the sheet has {beyond[0]!r} beyond "
                f"the {len(header)} named columns; name its column, or give a narrower range"
            )


def _text(cell: Any) -> str:
    """A cell as CSV shows it: whole numbers without a point, booleans in lower case."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    return "" if cell is None else str(cell)


def _value(cell: Any, failed: dict[str, int]) -> str:
    text = _text(cell)
    if is_spreadsheet_error(text):
        failed[text] = failed.get(text, 0) + 1
        return ""
    return text


def _csv(rows: Cells) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode()
