"""The feature store's places on AWS: the Glue catalogue, the files in S3, DynamoDB for the latest.

What joins them with DuckDB is `noria.feature_store`.
"""

from noria.aws.feature_store.catalogue import Catalogue, Table
from noria.aws.feature_store.files import Files, MissingFileError
from noria.aws.feature_store.manifest import Entry, Manifest, Share
from noria.aws.feature_store.online import OnlineTable

__all__ = [
    "Catalogue", "Entry", "Files", "Manifest", "MissingFileError", "OnlineTable", "Share", "Table",
]  # fmt: skip
