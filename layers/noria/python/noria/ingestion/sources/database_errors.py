"""What databases refuse, as sentences that say what to do."""

from typing import Any

from noria.errors import SourceError
from noria.ingestion.sources.database_credentials import DatabaseAccess

SLOW = "raise statement_timeout, add an index on what the query filters by, or give filters"
LOGIN = "check username and password in the secret"
NAMES = "check columns, filters and watermark"
SYNTAX = "check query: one SELECT without a semicolon"
READS = "the query writes; give one that only reads"
GRANT = "grant the user SELECT on it"
VALUE = "give the filter (or the query's comparison) a value of its column's type"
LATER = "start the run again later, or allow the server more connections"
ALIAS = "name the query's columns apart with AS"
AGAIN = "start the run again; where it stays, check host, port, sslmode and the network between"
OTHER = "check the source in the contract, its secret and the user's rights"
# By SQLSTATE (PostgreSQL, Redshift) or error number (MySQL, MariaDB).
REMEDIES = {
    **dict.fromkeys(("57014", "3024", "1969", "1317"), SLOW),
    **dict.fromkeys(("25006", "25001", "1792"), READS),
    **dict.fromkeys(("42501", "1142", "1143", "1044"), GRANT),
    **dict.fromkeys(("42P01", "3F000"), "check table (schema.table) and the secret's database"),
    "1146": "check table and the secret's database",
    **dict.fromkeys(("42703", "1054"), NAMES),
    **dict.fromkeys(("42702", "1052", "1060"), ALIAS),
    **dict.fromkeys(("42601", "1064"), SYNTAX),
    **dict.fromkeys(("28P01", "1045"), LOGIN),
    "28000": "check username and sslmode in the secret",
    **dict.fromkeys(("3D000", "1049"), "check dbname in the secret"),
    "42883": "use a watermark that has an order, and compare columns with values of their type",
    **dict.fromkeys(("22P02", "22007", "22008", "22003", "42804"), VALUE),
    "22012": "let the query divide by NULLIF(x, 0)",
    "0A000": "leave out of columns or query what the server cannot do",
    **dict.fromkeys(("53300", "57P03", "1040", "1203"), LATER),
    **dict.fromkeys(("57P01", "2003", "2006", "2013", "2026"), AGAIN),
}


class driver_errors:  # noqa: N801 - a context manager
    """Translate a driver's errors into `SourceError` with what to do about them."""

    def __init__(
        self, engine: str, access: DatabaseAccess, errors: tuple[type[BaseException], ...]
    ) -> None:
        self._engine, self._access, self._errors = engine, access, errors

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None or not isinstance(error, self._errors):
            return
        code, message = _code_and_message(error)
        place = f"{self._engine} at {self._access.host}:{self._access.port}"
        shown, otherwise = (f"refused ({code})", OTHER) if code else ("failed", AGAIN)
        raise SourceError(f"{place} {shown}: {message}; {REMEDIES.get(code, otherwise)}") from error


def _code_and_message(error: BaseException) -> tuple[str, str]:
    detail = error.args[0] if error.args else ""
    if isinstance(detail, dict):  # PostgreSQL's fields: C is SQLSTATE, M the message
        return str(detail.get("C", "")), str(detail.get("M", ""))
    if isinstance(detail, int) and len(error.args) > 1:
        return str(detail), str(error.args[1])
    return "", str(error)
