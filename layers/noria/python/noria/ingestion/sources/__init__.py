"""Data sources: a small class per kind behind one Protocol, giving parts with where they came from.

What only one kind needs is imported with its first source.
"""

from noria.aws.s3 import Store
from noria.contracts import DatabaseSource, GoogleSheetSource, HttpSource, S3Source, Source
from noria.ingestion.sources.base import Fetched, Origin
from noria.ingestion.sources.http import WebFile
from noria.ingestion.sources.s3_files import BucketFiles
from noria.ingestion.sources.secrets import Secrets

__all__ = ["Fetched", "Origin", "Secrets", "open_origin"]


def open_origin(source: Source, store: Store, secrets: Secrets) -> Origin:
    """The class of a source's kind, ready to give its parts; nothing is fetched yet."""
    match source:
        case S3Source():
            return BucketFiles(store, source.name)
        case HttpSource():
            return WebFile(source)
        case GoogleSheetSource():
            return _sheet(source, secrets)
        case DatabaseSource():
            return _database(source, secrets)


def _sheet(source: GoogleSheetSource, secrets: Secrets) -> Origin:
    from noria.ingestion.sources.google_api import Api, Published
    from noria.ingestion.sources.google_sheet import GoogleSheet

    return GoogleSheet(source, Published(), lambda: Api(secrets(source.secret or "")))


def _database(source: DatabaseSource, secrets: Secrets) -> Origin:
    from noria.ingestion.sources.database import DatabaseRows
    from noria.ingestion.sources.database_credentials import DatabaseAccess
    from noria.ingestion.sources.database_engines import ENGINES, Session

    connect, port = ENGINES[source.engine]
    timeout = source.statement_timeout.total_seconds()

    def opened() -> Session:
        return connect(DatabaseAccess.of(secrets(source.secret), source.secret, port, timeout))

    return DatabaseRows(source, opened)
