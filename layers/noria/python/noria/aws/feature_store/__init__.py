"""The feature store's places on AWS: the Glue catalogue, the files in S3, DynamoDB for the latest.

What joins them with DuckDB is `noria.feature_store.store`.
"""

from noria.aws.feature_store.dynamodb_online import OnlineTable
from noria.aws.feature_store.glue_catalog import CatalogTable, Catalogue
from noria.aws.feature_store.manifest import FileEntry, Manifest, RunShare
from noria.aws.feature_store.offline_files import Files, MissingFileError

__all__ = [
    "CatalogTable",
    "Catalogue",
    "FileEntry",
    "Files",
    "Manifest",
    "MissingFileError",
    "OnlineTable",
    "RunShare",
]  # fmt: skip
