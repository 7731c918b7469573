"""Files of rows as the endpoint takes them: JSON in any of its forms, or CSV as it stands."""

import json
from pathlib import Path

from infra.cli.errors import UsageMistakeError
from infra.cli.options import file_text, parsed_json, refuse_absent

CSV = "text/csv"


def request_of(path: Path) -> tuple[bytes, str]:
    """The body and the content type that a file of rows is sent as."""
    if path.suffix.lower() == ".csv":
        refuse_absent(path, "ROWS")
        try:
            return path.read_bytes(), CSV
        except OSError as error:
            raise UsageMistakeError(f"'{path}' cannot be read: {error.strerror}") from error
    given = parsed_json(file_text(path, "ROWS"), f"'{path}'")
    # A list is that of the rows; an object is one row, or has a form's name.
    document = {"rows": given} if isinstance(given, list) else given
    return json.dumps(document).encode(), "application/json"
