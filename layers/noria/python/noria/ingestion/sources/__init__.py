"""Data sources: a module per kind, named as the contract names it, behind one Protocol.

A kind's module has `open_origin`, and is imported with its first source.
"""

from importlib import import_module

from noria.aws.s3 import Store
from noria.contracts import Source
from noria.ingestion.sources.base import Fetched, Origin
from noria.ingestion.sources.secrets import Secrets

__all__ = ["Fetched", "Origin", "Secrets", "open_origin"]


def open_origin(source: Source, store: Store, secrets: Secrets) -> Origin:
    """A source as its kind's module opens it, ready to give its parts; nothing is fetched yet."""
    module = import_module(f"{__name__}.{source.kind}")
    origin: Origin = module.open_origin(source, store, secrets)
    return origin
