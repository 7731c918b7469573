"""What databases refuse, as sentences that say what to do."""

from typing import Any

from noria.aws.sources.access import Access
from noria.errors import SourceError

# By SQLSTATE (PostgreSQL, Redshift) or error number (MySQL).
REMEDIES = {
    "57014": "raise statement_timeout, add an index on what the query filters by, or give filters",
    "25006": "the query writes; give one that only reads",
    "42501": "grant the user SELECT on it",
    "42P01": "check table (schema.table) and the secret's database",
    "42703": "check columns, filters and watermark",
    "42601": "check query: one SELECT without a semicolon",
    "28P01": "check username and password in the secret",
    "28000": "check username and sslmode in the secret",
    "3D000": "check dbname in the secret",
    "1045": "check username and password in the secret",
    "1049": "check dbname in the secret",
    "1054": "check columns, filters and watermark",
    "1064": "check query: one SELECT without a semicolon",
    "1142": "grant the user SELECT on it",
    "1146": "check table and the secret's database",
    "1792": "the query writes; give one that only reads",
    "3024": "raise statement_timeout, add an index on what the query filters by, or give filters",
}


class told:  # noqa: N801 - reads as a statement
    """Turn a driver's errors into sentences that say what to do."""

    def __init__(
        self, engine: str, access: Access, errors: tuple[type[BaseException], ...]
    ) -> None:
        self._engine, self._access, self._errors = engine, access, errors

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None or not isinstance(error, self._errors):
            return
        code, message = _code_and_message(error)
        remedy = REMEDIES.get(code, "check the source, the secret and the network between")
        place = f"{self._engine} at {self._access.host}:{self._access.port}"
        shown = f" ({code})" if code else ""
        raise SourceError(f"{place} refused{shown}: {message}; {remedy}") from error


def _code_and_message(error: BaseException) -> tuple[str, str]:
    detail = error.args[0] if error.args else ""
    if isinstance(detail, dict):  # PostgreSQL's fields: C is SQLSTATE, M the message
        return str(detail.get("C", "")), str(detail.get("M", ""))
    if isinstance(detail, int) and len(error.args) > 1:
        return str(detail), str(error.args[1])
    return "", str(error)
