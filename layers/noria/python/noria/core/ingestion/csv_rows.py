"""Rows of a CSV file that end with more delimiters than its header, or with fewer."""

import csv
import io


def even_rows(text: str, delimiter: str) -> tuple[bytes, list[str]] | None:
    """Leave out the empty fields at the ends of rows, so that all have the header's width.

    Returns the rows, the header first, and the header's fields; None where more than empty ends is
    wrong.
    """
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter, lineterminator="\n")
    header: list[str] = []
    try:
        for row in rows:
            if not header:
                header = _without_end(row)
                writer.writerow(header)
            elif row:
                if len(row) < len(header) or any(row[len(header) :]):
                    return None
                writer.writerow(row[: len(header)])
    except csv.Error:
        return None
    return written.getvalue().encode(), header


def _without_end(row: list[str]) -> list[str]:
    width = max((place for place, field in enumerate(row, 1) if field.strip()), default=0)
    return row[:width]
