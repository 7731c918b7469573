"""CloudFormation resource types for moto: those it lacks, and those it creates only in part."""

from infra.local.resources import compute, http, storage, watching
from infra.local.resources.base import TYPES, connect

__all__ = ["TYPES", "compute", "connect", "http", "storage", "watching"]
